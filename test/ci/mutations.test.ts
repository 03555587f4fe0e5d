/** The mutation run of `check`: its edits of templates, and a sample of its result. mutations.long.ts runs all of it. */
import t from 'tap'
import { formatTable, getShare, runMutations, sumRows, TARGET } from '../../.ci/mutations/run.mjs'
import { replaceTable } from '../../.ci/mutations/table.mjs'
import {
  applyEdits,
  listItems,
  listProperties,
  listResources,
  removeProperty,
} from '../../.ci/mutations/text.mjs'

const FILES = {
  'block.yaml': `Resources:
  Pool:
    Type: AWS::Cognito::UserPool
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      Scopes:
        - !Sub '\${Server}/read'
        - { a: [1, 2] }
      Secret: true
Outputs: {}
`,
  'flow.yaml': `Resources:
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties: { Scopes: [!Sub '\${Server}/read', { a: [1, 2] }], Secret: true }
`,
  'stack.json': `{
 "Resources": {
  "Client": {
   "Type": "AWS::Cognito::UserPoolClient",
   "Properties": { "Scopes": [{ "Ref": "Server" }, { "a": [1, 2] }], "Secret": true }
  }
 }
}
`,
  'main.tf': `resource "aws_cognito_user_pool_client" "client" {
  Scopes = ["\${aws_cognito_resource_server.s.identifier}/read", "b"]
  Secret = true
}
`,
}

function itemsOf(file: string, text: string) {
  return listResources(file, text).flatMap((block) =>
    listProperties(file, text, block, 'Scopes').flatMap((list) => listItems(file, text, list)),
  )
}

const countItems = (file: string, text: string): number => itemsOf(file, text).length

for (const [file, text] of Object.entries(FILES)) {
  t.test(`${file}: properties and items are found and removed`, (t) => {
    const block = listResources(file, text).at(-1)
    if (block === undefined) throw new Error('expected a resource')
    t.match(block.type, /Client$|_client$/)
    const [list] = listProperties(file, text, block, 'Scopes')
    const [secret] = listProperties(file, text, block, 'Secret')
    if (list === undefined || secret === undefined) throw new Error('expected both properties')
    t.equal(text.slice(secret.valueStart, secret.end), 'true')
    const items = listItems(file, text, list)
    t.equal(items.length, 2)
    for (const { remove, repeat } of items) {
      const removed = applyEdits(text, [remove])
      t.equal(countItems(file, removed), 1, removed)
      t.equal(countItems(file, applyEdits(text, [repeat])), 3)
      const [last] = itemsOf(file, removed)
      t.equal(last && countItems(file, applyEdits(removed, [last.remove])), 0)
    }
    const without = applyEdits(text, [removeProperty(text, secret)])
    t.notMatch(without, /Secret|, \}|,\n *\}/)
    t.equal(countItems(file, without), 2)
    t.end()
  })
}

t.test('mistakes that are planted in a sample of correct templates are found', async (t) => {
  const { units, rows, problems } = await runMutations({ every: 6 })
  t.ok(units > 6, `${units} units`)
  t.strictSame(problems, [], 'no finding on an original, no wrong reason')
  const total = sumRows(rows)
  t.ok(getShare(total) >= TARGET, `${total.found} of ${total.found + total.missed} found`)
  t.throws(() => replaceTable('# Page\n', ''), /expected a table with the column mistake/)
  t.match(formatTable(rows), `| all | ${total.planted} |`)
})

t.test('a share counts what is neither found nor missed as found', (t) => {
  t.equal(getShare({ found: 0, missed: 0 }), 1)
  t.equal(getShare({ found: 3, missed: 1 }), 0.75)
  t.end()
})
