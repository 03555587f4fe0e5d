/** docs/rotation.md: its policies allow the operations that a rotation calls, its templates pass `check`, its store works. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkScopes, readTemplate } from '../../src/contract/infra/index.ts'
import {
  type ClientSecretStore,
  secretsManagerStore,
  ssmStore,
} from '../../src/tokens/rotate/index.ts'
import { FakeParameterStore, FakeSecretsManager } from '../support/aws-fakes.ts'
import { FIRST_SECRET, intercept, setUpRotation } from '../support/rotation.ts'

const page = readFileSync('docs/rotation.md', 'utf8')
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1] ?? ''

/** Actions of IAM for a rotation, by the operations that it calls. `calls` grows meanwhile. */
async function listActions(
  service: string,
  store: ClientSecretStore,
  calls: readonly string[],
): Promise<readonly string[]> {
  const { cognito, rotate } = await setUpRotation(t)
  const actions = new Set<string>()
  const onCall = (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    actions.add(`cognito-idp:${name.charAt(0).toUpperCase()}${name.slice(1)}`)
    return call()
  }
  await rotate({ store, cognito: intercept(cognito, onCall) })
  for (const name of calls) actions.add(`${service}:${name}`)
  return [...actions].sort()
}

const findActions = (text: string): string[] =>
  [...new Set(text.match(/\b(?:cognito-idp|secretsmanager|ssm):[A-Z][a-z]\w+/g))].sort()

t.test('the policies have the actions that a rotation with Secrets Manager calls', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const store = secretsManagerStore({ secretsManager: fake, secretId: 'a' })
  const called = await listActions('secretsmanager', store, fake.calls)
  t.equal(called.length, 6)
  t.strictSame(findActions(block('yaml')), called)
  t.strictSame(findActions(block('hcl')), called)
})

t.test('the table has the actions that a rotation with Parameter Store calls', async (t) => {
  const fake = new FakeParameterStore('/a', FIRST_SECRET)
  const store = ssmStore({ ssm: fake, name: '/a' })
  const called = await listActions('ssm', store, fake.calls)
  const documented = findActions(page).filter((it) => !it.startsWith('secretsmanager:'))
  t.strictSame(documented, called)
})

t.test('no policy has a wildcard', async (t) => {
  for (const text of [block('yaml'), block('hcl')]) {
    t.notMatch(text, /Resource\W+\*/)
    t.notMatch(text, /:\*/)
  }
})

t.test('check accepts the templates', async (t) => {
  for (const [file, language] of [
    ['rotation.yaml', 'yaml'],
    ['rotation.tf', 'hcl'],
  ] as const) {
    const model = await readTemplate({ file, text: block(language) })
    t.strictSame(checkScopes(model), [], file)
  }
})
