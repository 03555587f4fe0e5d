/** A polluted Object.prototype must not turn a denial into an Allow. */
import t from 'tap'
import { parseArn } from '../../../src/adapters/lambda/events.ts'
import {
  cacheablePolicy,
  requestPolicy,
  simpleResponse,
} from '../../../src/adapters/lambda/responses.ts'

const arn = parseArn('arn:aws:execute-api:eu-west-1:123456789012:abcdef/prod/GET/orders')
const denied = { kind: 'denied', code: 'ERR_SCOPE_INSUFFICIENT' } as const
const context = { code: 'ERR_SCOPE_INSUFFICIENT' }

t.test('a denial stays a denial with a polluted prototype', async (t) => {
  const granted = { clientId: 'x', scopes: [], allow: ['*'], deny: [], until: 4e9 }
  Object.defineProperty(Object.prototype, 'granted', { value: granted, configurable: true })
  Object.defineProperty(Object.prototype, 'kind', { value: 'granted', configurable: true })
  t.teardown(() => {
    Reflect.deleteProperty(Object.prototype, 'granted')
    Reflect.deleteProperty(Object.prototype, 'kind')
  })
  if (arn === undefined) throw new Error('no ARN')
  t.strictSame(simpleResponse(denied), { isAuthorized: false, context })
  for (const policy of [requestPolicy(denied, arn), cacheablePolicy(denied, arn)]) {
    t.strictSame(
      policy.policyDocument.Statement.map(({ Effect }) => Effect),
      ['Deny'],
    )
    t.strictSame(policy.context, context)
  }
})
