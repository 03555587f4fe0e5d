/** Every page is found from the index, every subpath has its page, and every link leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const documents = [
  ...['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

/** Text that is no code. */
const prose = (file: string): string =>
  readFileSync(file, 'utf8').replaceAll(/^```[^\n]*\n.*?^```$/gms, '')

/** As GitHub makes anchors of headings. */
const anchors = (file: string): readonly string[] =>
  [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const links = (file: string): readonly string[] =>
  [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))

t.test('every link within the repository leads to a file and a heading', async (t) => {
  let count = 0
  for (const file of documents) {
    for (const link of links(file)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      t.ok(existsSync(target), `${file}: ${link}`)
      if (anchor !== undefined) t.ok(anchors(target).includes(anchor), `${file}: ${link}`)
      count += 1
    }
  }
  t.ok(count > 100)
})

const index = readFileSync('docs/README.md', 'utf8')

t.test('the index leads to every page', async (t) => {
  const reached = new Set(links('docs/README.md').map((link) => link.split('#')[0] ?? ''))
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
  const pages = documents.filter((file) => file.startsWith('docs/') && !file.endsWith('README.md'))
  for (const file of pages) {
    t.match(readFileSync(file, 'utf8'), /^# .+\n\n(?!## )/, `${file}: an introduction`)
    const headings = [...prose(file).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    t.equal(headings.at(-1), 'See also', `${file}: the last section`)
  }
})
