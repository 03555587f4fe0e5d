/** The Terraform of the docs is well-formed, and attaches the Lambda authorizer as its options require. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'

const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<unknown>
}

const blocks = readdirSync('docs')
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) =>
    [...readFileSync(`docs/${file}`, 'utf8').matchAll(/^```hcl\n(.*?)^```$/gms)].map(
      ([, text = '']) => ({ file, text }),
    ),
  )

type Resources = Record<string, Record<string, readonly Record<string, unknown>[]>>

t.test('every block of Terraform is well-formed', async (t) => {
  t.ok(blocks.length > 1, `${blocks.length} blocks`)
  for (const { file, text } of blocks) {
    const { resource } = (await parse('main.tf', text)) as { resource: Resources }
    t.ok(Object.keys(resource).length > 0, file)
  }
})

t.test('an authorizer without a cache, for the Authorization header', async (t) => {
  for (const { text } of blocks.filter((block) => block.file === 'lambda.md')) {
    const { resource } = (await parse('main.tf', text)) as { resource: Resources }
    const [type = ''] = Object.keys(resource).filter((it) => it.endsWith('_authorizer'))
    const [authorizer] = resource[type]?.['orders'] ?? []
    t.equal(authorizer?.['authorizer_result_ttl_in_seconds'], 0, type)
    const source = authorizer?.['identity_sources'] ?? authorizer?.['identity_source']
    t.match(String(source), /request\.header\.Authorization$/, type)
  }
})
