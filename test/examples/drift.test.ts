/**
 * examples/drift: each drift is found where its mark stands and nowhere else, and nothing in the clean
 * twins, which hold together in other eyes too.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate'
import t from 'tap'
import { checkScopes, type Finding, readTemplate } from '../../src/infra/index.ts'

const EXAMPLES = 'examples/drift'

/** Its types bring those of browsers into every file that is checked with this one. */
const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<Record<string, unknown>>
}

const under = (folder: string, ending: RegExp): string[] =>
  readdirSync(folder)
    .filter((file) => ending.test(file))
    .sort()
    .map((file) => join(folder, file))

/** `# drift: CODE at TEXT`, several after commas: where TEXT begins on the line, the quote before it too. */
function marks(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const [before, mark] = text.split(/(?:#|\/\/) drift: /) as [string, string?]
      return (mark?.split(', ') ?? []).map((one) => {
        const [code, literal] = one.split(' at ') as [string, string]
        const start = before.indexOf(literal)
        const quoted = /["'`]/.test(before[start - 1] ?? '') ? 0 : 1
        return `${file}:${index + 1}:${start + quoted} ${code}`
      })
    })
    .sort()
}

const told = ({ file, line, column, code }: Finding): string =>
  `${relative('.', file)}:${line}:${column} ${code}`

for (const name of ['sam', 'terraform', 'express']) {
  t.test(`${name}: drifts are found where they are marked, the clean twin has none`, async (t) => {
    for (const twin of ['drifted', 'clean']) {
      const folder = join(EXAMPLES, name, twin)
      const files = under(folder, /\.(?:yaml|tf)$/).filter((file) => !file.endsWith('openapi.yaml'))
      const sources = files.map((file) => ({ file, text: readFileSync(file, 'utf8') }))
      const groups = name === 'terraform' ? [sources] : sources.map((source) => [source])
      const models = await Promise.all(groups.map((group) => readTemplate(group)))
      const expected = files.flatMap(marks).filter((mark) => !/granted|open-in/.test(mark))
      t.strictSame(checkScopes(models).map(told).sort(), expected.sort(), twin)
    }
  })
}

t.test('clean templates pass the validators of both worlds', async (t) => {
  const engine = new CelEngine()
  t.teardown(() => engine.free())
  for (const file of ['sam/clean/auth.yaml', 'sam/clean/api.yaml', 'express/clean/template.yaml']) {
    const { diagnostics } = engine.validateStandard(new TemplateFile(join(EXAMPLES, file)))
    t.strictSame(
      diagnostics.filter(({ severity }) => /error|fatal/i.test(severity)),
      [],
      file,
    )
  }
  for (const file of under(join(EXAMPLES, 'terraform/clean'), /\.tf$/)) {
    t.ok(Object.keys(await parse(file, readFileSync(file, 'utf8'))).length > 0, file)
  }
})
