/** The CloudFormation template of docs/rotation.md passes the validator of AWS, which takes 9 seconds to load its rules. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate'
import t from 'tap'

t.test('the template of docs/rotation.md', async (t) => {
  const engine = new CelEngine()
  t.teardown(() => engine.free())
  const [, template = ''] =
    /^```yaml\n(.*?)^```$/ms.exec(readFileSync('docs/rotation.md', 'utf8')) ?? []
  const folder = t.testdir({ 'rotation.yaml': template })
  const file = new TemplateFile(join(folder, 'rotation.yaml'))
  const { diagnostics } = engine.validateStandard(file)
  t.strictSame(
    diagnostics.filter(({ severity }) => severity !== 'INFO'),
    [],
  )
})
