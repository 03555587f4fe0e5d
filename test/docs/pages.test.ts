/** Every page is found from the index, and every subpath has its page. test/docs/links.test.ts follows the links. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isRelative, listHeadings, listTargets } from '../../.ci/markdown.mjs'

const index = readFileSync('docs/README.md', 'utf8')

t.test('the index leads to every page', async (t) => {
  const targets = listTargets(index).filter((target) => isRelative(target))
  const reached = new Set(targets.map((target) => target.split('#')[0] ?? ''))
  t.strictSame(
    [...reached].filter((page) => page !== '' && !page.startsWith('../')).sort(),
    readdirSync('docs')
      .filter((file) => file.endsWith('.md') && file !== 'README.md')
      .sort(),
  )
})

t.test('every subpath of the package has a page that names it', async (t) => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: object }
  const rows = new Map(
    [...index.matchAll(/^\| `(cognito-m2m[^`]*)` \| \[[^\]]+\]\(([^)#]+)/gm)].map(
      ([, name = '', page = '']) => [name, page],
    ),
  )
  const subpaths = Object.keys(exports)
    .filter((name) => name !== './package.json')
    .map((name) => join('cognito-m2m', name))
  t.strictSame([...rows.keys()].sort(), subpaths.sort())
  const versioning = readFileSync('docs/versioning.md', 'utf8')
  for (const name of subpaths) t.match(versioning, `\n| \`${name}\` | `, `the tier of ${name}`)
  for (const [name, page] of rows) {
    t.match(readFileSync(join('docs', page), 'utf8'), new RegExp(`[\`'/]${name}[\`']`), page)
  }
})

t.test('the index answers at least 40 questions, each with one link to its page', async (t) => {
  const rows = [...index.matchAll(/^\| (.+\?) \| (\[.+\]\(.+\)) \|$/gm)]
  t.ok(rows.length >= 40, `${rows.length} questions`)
  const questions = rows.map(([, question = '']) => question.toLowerCase())
  for (const topic of [
    ...['10 lines for fastify', '10 lines for express', '10 lines for a lambda'],
    ...['migrate from aws-jwt-verify', 'migrate from express-oauth2-jwt-bearer'],
    ...['migrate from fastify-jwt-jwks', 'migrate from an api gateway authorizer'],
    ...['why is every request 401', 'what do i page on', 'which probe', 'is `aud` checked'],
    ...['when a key is revoked', 'attach the authorizer in terraform'],
    ...['which claims are trusted', 'what leaves the machine'],
  ]) {
    t.ok(
      questions.some((question) => question.includes(topic)),
      topic,
    )
  }
})

t.test('a page begins with what it is for, and ends with where to go next', async (t) => {
  const pages = readdirSync('docs').filter((file) => file.endsWith('.md') && file !== 'README.md')
  for (const file of pages) {
    const text = readFileSync(join('docs', file), 'utf8')
    t.match(text, /^# .+\n\n(?!## )/, `${file}: an introduction`)
    const sections = listHeadings(text).filter(({ level }) => level === 2)
    t.equal(sections.at(-1)?.text, 'See also', `${file}: the last section`)
  }
})
