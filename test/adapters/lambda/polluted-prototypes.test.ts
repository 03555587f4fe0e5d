/** Names that somebody else's fault put on every object make no Allow of a refusal. */
import t from 'tap'
import { exactPolicy, keptPolicy, simpleAnswer } from '../../../src/adapters/lambda/answers.ts'
import { parseArn } from '../../../src/adapters/lambda/events.ts'

const arn = parseArn('arn:aws:execute-api:eu-west-1:123456789012:abcdef/prod/GET/orders')
const refused = { code: 'ERR_SCOPE_INSUFFICIENT' } as const

t.test('a refusal stays one, whatever stands on every object', async (t) => {
  const granted = { clientId: 'x', scopes: [], allow: ['*'], deny: [], until: 4e9 }
  Object.defineProperty(Object.prototype, 'granted', { value: granted, configurable: true })
  t.teardown(() => Reflect.deleteProperty(Object.prototype, 'granted'))
  if (arn === undefined) throw new Error('no ARN')
  t.strictSame(simpleAnswer(refused), { isAuthorized: false, context: refused })
  for (const policy of [exactPolicy(refused, arn), keptPolicy(refused, arn)]) {
    t.strictSame(
      policy.policyDocument.Statement.map(({ Effect }) => Effect),
      ['Deny'],
    )
    t.strictSame(policy.context, refused)
  }
})
