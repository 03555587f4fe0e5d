/** What goes wrong while a kept policy is made, and how large it may get. */
import t from 'tap'
import {
  createLambdaAuthorizer,
  type LambdaAuthorizer,
  type LambdaAuthorizerOptions,
} from '../../../src/adapters/lambda/index.ts'
import { now, pool, right } from '../../support/fastify.ts'
import { allows } from '../../support/gateway.ts'
import { arnOf, requestEvent, tokenEvent, v2Event } from '../../support/lambda-events.ts'

const READ = { scopes: 'orders/read' }
/** What API Gateway takes, in bytes. */
const LIMIT = 8192

const create = (more: Partial<LambdaAuthorizerOptions>): LambdaAuthorizer =>
  createLambdaAuthorizer({
    ...pool.options(),
    routes: { 'GET /r': READ },
    resultTtl: 300,
    ...more,
  } as LambdaAuthorizerOptions & { simpleResponses: false })

const faults = {
  throws: () => {
    throw new Error('secret')
  },
  'answers NaN': () => Number.NaN,
}

for (const [name, fault] of Object.entries(faults)) {
  t.test(
    `a clock that ${name} after the token was judged is an application error, too`,
    async (t) => {
      const log: string[] = []
      const logger = {
        info() {},
        warn() {},
        error: (_: object, text: string) => void log.push(text),
      }
      let left = Number.POSITIVE_INFINITY
      let asked = 0
      const clock = () => {
        asked += 1
        left -= 1
        return left > 0 ? now() : fault()
      }
      const authorizer = create({ now: clock, logger })
      const event = requestEvent({ authorization: right })
      asked = 0
      await authorizer(event)
      left = asked
      const error = await authorizer(event).catch((it) => it)
      t.match(error, { name: 'AuthorizerError', code: 'ERR_INTERNAL' })
      t.equal(error.stack, 'AuthorizerError: Access cannot be decided')
      t.strictSame(log, ['cognito-m2m: access cannot be decided'])
    },
  )
}

t.test('a response fits the size limit or is rejected', async (t) => {
  const routes = Object.fromEntries(Array.from({ length: 55 }, (_, at) => [`GET /route-${at}`, {}]))
  const authorizer = create({ routes })
  const scopes = Array.from({ length: 50 }, (_, at) => `orders/${'x'.repeat(90)}-${at}`)
  const event = requestEvent({ authorization: `Bearer ${pool.accessToken({ scopes })}` })
  const result = await authorizer(event)
  t.ok(Buffer.byteLength(JSON.stringify(result)) <= LIMIT)
  t.notOk('scopes' in (result.context ?? {}), 'its scopes are left out')
  t.ok(allows(result, arnOf({ path: '/route-54' })))
  // How long a stage's name is, is not known at creation.
  const methodArn = arnOf({ path: '/route-1' }).replace('/prod/', `/${'s'.repeat(128)}/`)
  const staged = { ...requestEvent({ authorization: right }), methodArn }
  const error = await authorizer(staged).catch((it) => it)
  t.match(error, {
    code: 'ERR_OPTION_INVALID',
    message: 'The policy is too large: set resultTtl to 0',
  })
})

t.test('plain text may be the word for a wildcard', async (t) => {
  for (const [text, wildcard] of [
    ['parameter', '{id}'],
    ['greedy', '{id+}'],
  ]) {
    const routes = { [`GET /orders/${text}`]: READ, [`GET /orders/${wildcard}`]: {} }
    t.doesNotThrow(() => create({ routes, resultTtl: 0 }))
  }
})

t.test('an expiry beyond every calendar is a date all the same', async (t) => {
  const authorizer = create({})
  for (const exp of [1e300, 8.64e12 + 1]) {
    const authorization = `Bearer ${pool.accessToken({ ...READ, claims: { exp } })}`
    const result = await authorizer(requestEvent({ authorization }))
    t.ok(allows(result, arnOf({})))
    for (const value of Object.values(result.context ?? {})) {
      t.ok(['string', 'number'].includes(typeof value), String(value))
    }
  }
})

t.test('headers of odd shapes carry no token', async (t) => {
  const authorizer = create({ resultTtl: 0 })
  const none = { headers: null, multiValueHeaders: null }
  const odd = [
    { headers: [right], multiValueHeaders: undefined },
    { headers: 'authorization', multiValueHeaders: right },
    { headers: JSON.parse(`{"__proto__":{"authorization":${JSON.stringify(right)}}}`) },
    { headers: { authorization: null }, multiValueHeaders: { Authorization: [] } },
    { headers: { authorization: { 0: right } } },
    { multiValueHeaders: { Authorization: [[right, right]] } },
    { type: 'TOKEN', authorizationToken: [right, right] },
    { type: 'TOKEN', headers: { authorization: right } },
  ]
  for (const [index, members] of odd.entries()) {
    const event = { ...requestEvent({}), ...none, ...members }
    await t.rejects(authorizer(event as never), { message: 'Unauthorized' }, `${index}`)
  }
})

t.test('an event of two versions is read as one of them, path and header alike', async (t) => {
  const authorizer = create({ resultTtl: 0 })
  const elsewhere = arnOf({ path: '/other' })
  const v2 = { ...v2Event({ authorization: right }), methodArn: elsewhere }
  t.ok(allows(await authorizer(v2), arnOf({})))
  t.notOk(
    allows(
      await authorizer({ ...v2, routeArn: elsewhere, methodArn: arnOf({}) } as never),
      arnOf({}),
    ),
  )
  const v1 = { ...tokenEvent({ path: '/other', authorization: right }), routeArn: arnOf({}) }
  t.notOk(allows(await authorizer(v1), arnOf({})))
})
