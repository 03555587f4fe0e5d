/** Templates that are written pass the validator of AWS, which takes 9 seconds to load its rules. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate'
import t from 'tap'
import { renderTemplate, type TemplateSource } from '../../../../src/contract/infra/index.ts'
import { renderTokenProxy } from '../../../../src/contract/infra/render/proxy.ts'
import { FULL, HTTP, REST } from './definitions.ts'

/** Templates that are shown, in twins of which one is clean. */
const EXAMPLES = 'examples/drift'

const engine = new CelEngine()
t.teardown(() => engine.free())

/** What the validator reports about a file, without remarks. */
function validate(path: string) {
  const { diagnostics } = engine.validateStandard(new TemplateFile(path))
  return diagnostics.filter(({ severity }) => severity !== 'INFO')
}

t.test('CloudFormation and SAM templates that are written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'render-template-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const definition of [REST, HTTP, FULL]) {
    for (const dialect of ['cloudformation', 'sam'] as const) {
      for (const { file, text } of renderTemplate(definition, dialect)) {
        const path = join(folder, file)
        writeFileSync(path, text)
        t.strictSame(validate(path), [], `${dialect} ${file}`)
      }
    }
  }
})

t.test('the token proxy as a function, and the table of the docs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'token-proxy-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [{ text }] = renderTokenProxy('orders') as [TemplateSource]
  const path = join(folder, 'proxy.yaml')
  writeFileSync(path, text)
  t.strictSame(validate(path), [], 'proxy.yaml')
  t.strictSame(validate('fixtures/templates/token-store/template.yaml'), [], 'table')
})

t.test('the alarms of deploy', async (t) => {
  t.strictSame(validate('deploy/aws/alarms.yaml'), [])
})

t.test('templates of the examples', async (t) => {
  for (const file of ['sam/clean/auth.yaml', 'sam/clean/api.yaml', 'express/clean/template.yaml'])
    t.strictSame(validate(join(EXAMPLES, file)), [], file)
})
