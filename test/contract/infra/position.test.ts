import t from 'tap'
import { TemplateError } from '../../../src/contract/infra/position.ts'

t.test('an error shows the end of a long file name, which identifies the file', (t) => {
  const file = `${'folder/'.repeat(40)}template.yaml`
  const { message, ...error } = new TemplateError({ file, line: 3, column: 7 }, 'expected a map')
  t.equal(message, `…${file.slice(-120)}:3:7: expected a map`)
  t.match(error, { file, line: 3, column: 7 })
  const short = new TemplateError({ file: 'a\u0007.yaml', line: 1, column: 2 }, 'expected a map')
  t.equal(short.message, 'a\\u{7}.yaml:1:2: expected a map')
  t.end()
})
