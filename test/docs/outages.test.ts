/** docs/outages.md says nothing that no test proves, and the tests it names exist. */
import { readFile } from 'node:fs/promises'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const page = await readFile(new URL('docs/outages.md', root), 'utf8')
const list = await readFile(new URL('test/conformance/outages/README.md', root), 'utf8')

/** What is said: bullets and rows, each with its continuation lines, and the known limit. */
function statements(): string[] {
  const [said = ''] = page.split('## See also')
  const rows = said.split('\n').filter((line) => /^\| (?!---)/.test(line))
  const heads = said.split('\n').filter((_line, index, all) => /^\| ---/.test(all[index + 1] ?? ''))
  const bullets = said.split(/\n(?=- |\n|#)/).filter((block) => block.startsWith('- '))
  const [, limit = ''] = said.split('## Known limit\n')
  return [...rows.filter((row) => !heads.includes(row)), ...bullets, limit]
}

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/<!-- tests ([\d, ]+) -->/g)].flatMap(([, numbers = '']) =>
    numbers.split(', ').map(Number),
  )

const tests = [...list.matchAll(/^(\d+)\. (test\/\S+\.ts): `(.*)`$/gm)].map(
  ([, number, file, name]) => ({
    number: Number(number),
    file: file as string,
    name: name as string,
  }),
)

t.test('every statement names a test', async (t) => {
  const all = statements()
  t.ok(all.length > 40, `${all.length} statements`)
  for (const statement of all) {
    t.ok(numbersIn(statement).length > 0, statement.replaceAll('\n', ' ').slice(0, 90))
  }
})

t.test('every number stands for one test, and every test is named by a statement', async (t) => {
  const numbers = tests.map(({ number }) => number)
  t.strictSame(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => index + 1),
  )
  const used = new Set(numbersIn(page))
  t.strictSame(
    [...used].sort((a, b) => a - b),
    numbers,
  )
})

t.test('every test is there under its name', async (t) => {
  for (const { file, name } of tests) {
    const source = (await readFile(new URL(file, root), 'utf8')).replace(/\s+/g, ' ')
    const pattern = name
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\$\\{[^}]*\\}')
    t.match(source, new RegExp(`[\`'"]${pattern}[\`'"]`), `${file}: ${name}`)
  }
})
