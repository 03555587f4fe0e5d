/** Blocks of the docs that no program runs are well-formed: YAML, JSON and JavaScript. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'

const pages = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md'],
  ...readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]

const listBlocks = (language: string) =>
  pages.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'),
      ),
    ].map(([, text = '']) => ({ file, text })),
  )

t.test('YAML', async (t) => {
  const blocks = listBlocks('yaml')
  t.ok(blocks.length > 5)
  for (const { file, text } of blocks) {
    const errors = parseAllDocuments(text, { logLevel: 'silent' }).flatMap((it) => it.errors)
    // The failing example of the finding key-repeated.
    const isRepeated = /^ {6}GenerateSecret: false\n[\s\S]*^ {6}GenerateSecret: true\n/m.test(text)
    const expected = isRepeated ? /^YAMLParseError: Map keys must be unique at line 8, / : /^$/
    t.match(errors.map(String).join('\n'), expected, file)
  }
})

t.test('JSON', async (t) => {
  const blocks = listBlocks('json')
  t.ok(blocks.length > 5)
  for (const { file, text } of blocks) t.doesNotThrow(() => JSON.parse(text), `${file}: ${text}`)
})

t.test('JavaScript', async (t) => {
  const blocks = listBlocks('js')
  t.ok(blocks.length > 5)
  for (const { file, text } of blocks) {
    const { diagnostics = [] } = ts.transpileModule(text, {
      fileName: 'block.mjs',
      reportDiagnostics: true,
      compilerOptions: { allowJs: true, target: ts.ScriptTarget.ES2023 },
    })
    t.strictSame(
      diagnostics.map((it) => ts.flattenDiagnosticMessageText(it.messageText, ' ')),
      [],
      file,
    )
  }
})
