/** Policies that API Gateway keeps: what they grant is what a fresh decision would. */
import t from 'tap'
import {
  createLambdaAuthorizer,
  type LambdaAuthorizer,
  type LambdaAuthorizerOptions,
} from '../../../src/adapters/lambda/index.ts'
import { anyOf } from '../../../src/index.ts'
import { NOW, pool, right, SCOPE, wrongScope } from '../../support/fastify.ts'
import { seeded } from '../../support/forge.ts'
import { allows, thrownStatus } from '../../support/gateway.ts'
import { arnOf, requestEvent, STAGE, tokenEvent, v2Event } from '../../support/lambda-events.ts'
import { sampleSize } from '../../support/sample.ts'

const create = (routes: LambdaAuthorizerOptions['routes'], more: object = {}): LambdaAuthorizer =>
  createLambdaAuthorizer({
    ...pool.options(),
    routes,
    resultTtl: 300,
    ...more,
  } as LambdaAuthorizerOptions & { simpleResponses: false })
const bearer = (...scopes: string[]) => `Bearer ${pool.accessToken({ scopes })}`
const READ = { scopes: 'orders/read' }
const WRITE = { scopes: 'orders/write' }
const BOTH = { scopes: ['orders/read', 'orders/write'] }

t.test('one policy speaks about every declared route', async (t) => {
  const authorizer = create({
    'GET /orders': READ,
    'POST /orders': WRITE,
    'GET /reports': { scopes: anyOf('orders/read', 'orders/admin') },
    'DELETE /orders': { clientId: 'back-office' },
  })
  for (const eventOf of [tokenEvent, requestEvent, v2Event]) {
    const event = eventOf({ path: '/orders', authorization: bearer('orders/read') })
    t.strictSame(await authorizer(event), {
      principalId: 'billing',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'execute-api:Invoke',
            Resource: [`${STAGE}/GET/orders`, `${STAGE}/GET/reports`],
            Condition: { DateLessThan: { 'aws:CurrentTime': '2023-11-14T22:19:20Z' } },
          },
        ],
      },
      context: {
        clientId: 'billing',
        scopes: 'orders/read',
        expiresAt: NOW / 1000 + 3600,
        userPoolId: pool.userPoolId,
      },
    })
  }
})

t.test('whatever route was asked first, the policy is the same', async (t) => {
  const authorizer = create({ 'GET /orders': READ, 'POST /orders': WRITE })
  const authorization = bearer('orders/read')
  const first = await authorizer(requestEvent({ path: '/orders', authorization }))
  const denied = requestEvent({ method: 'POST', path: '/orders', authorization })
  t.strictSame(await authorizer(denied), first)
  t.strictSame(await authorizer(requestEvent({ path: '/nowhere', authorization })), first)
  t.notOk(allows(first, arnOf({ method: 'POST', path: '/orders' })))
  t.notOk(allows(first, arnOf({ path: '/nowhere' })))
})

t.test('nothing to reach is a Deny for everything', async (t) => {
  const authorizer = create({ 'GET /orders': READ })
  const denied = (context: object) => ({
    policyDocument: { Statement: [{ Effect: 'Deny', Resource: [`${STAGE}/*`] }] },
    context,
  })
  const event = (authorization: string) => requestEvent({ path: '/orders', authorization })
  t.match(await authorizer(event(wrongScope)), denied({ clientId: 'billing' }))
  const stranger = `Bearer ${pool.accessToken({ clientId: 'stranger' })}`
  t.match(await authorizer(event(stranger)), denied({ code: 'ERR_CLIENT_NOT_ALLOWED' }))
  for (const authorization of ['Bearer x', undefined]) {
    const error = await authorizer(requestEvent({ authorization })).catch((it) => it)
    t.equal(thrownStatus(error), 401)
  }
})

t.test('an Allow ends with the token, and soon after API Gateway should ask again', async (t) => {
  const authorizer = create({ 'GET /orders': READ }, { resultTtl: 3600, clockTolerance: 5 })
  const at = async (expiresIn: number) => {
    const authorization = `Bearer ${pool.accessToken({ scopes: 'orders/read', expiresIn })}`
    return authorizer(requestEvent({ path: '/orders', authorization }))
  }
  const arn = arnOf({ path: '/orders' })
  const now = NOW / 1000
  t.ok(allows(await at(600), arn, now + 604))
  t.notOk(allows(await at(600), arn, now + 605))
  t.ok(allows(await at(80_000), arn, now + 3600))
  t.notOk(allows(await at(80_000), arn, now + 3660))
})

t.test('a wildcard that reaches a route the token may not has a Deny for it', async (t) => {
  const routes = { 'GET /orders/{id}': READ, 'GET /orders/{id}/notes': BOTH }
  const authorizer = create(routes, { default: {} })
  const event = (...scopes: string[]) =>
    requestEvent({ path: '/orders/1', authorization: bearer(...scopes) })
  const reader = await authorizer(event('orders/read'))
  t.ok(allows(reader, arnOf({ path: '/orders/1' })))
  t.notOk(allows(reader, arnOf({ path: '/orders/1/notes' })))
  t.ok(allows(reader, arnOf({ path: '/elsewhere' })), 'the default')
  const both = await authorizer(event('orders/read', 'orders/write'))
  t.ok(allows(both, arnOf({ path: '/orders/1' })))
  t.ok(allows(both, arnOf({ path: '/orders/1/notes' })))
  const writer = await authorizer(event('orders/write'))
  t.notOk(allows(writer, arnOf({ path: '/orders/1' })))
  t.notOk(allows(writer, arnOf({ path: '/orders/1/notes' })))
})

t.test(
  'a route that reads like a stricter one after decoding is rejected at creation',
  async (t) => {
    const refused: [string, LambdaAuthorizerOptions['routes'], string, string][] = [
      [
        'deeper',
        { 'GET /f/{n}': READ, 'GET /f/{n}/public': {} },
        'GET /f/{n}',
        'GET /f/{n}/public',
      ],
      ['below', { 'GET /f/{p+}': READ, 'GET /f/a/b': {} }, 'GET /f/{p+}', 'GET /f/a/b'],
      ['by ANY', { 'ANY /f/{n}': READ, 'GET /f/{n}/a': WRITE }, 'ANY /f/{n}', 'GET /f/{n}/a'],
    ]
    for (const [name, routes, strict, lax] of refused) {
      const message = `with an encoded slash, a path of ${strict} can match ${lax},`
      const error = { code: 'ERR_OPTION_INVALID', message: new RegExp(escaped(message)) }
      t.throws(() => create(routes, { default: {} }), error, name)
      t.throws(() => create(routes), { code: 'ERR_OPTION_INVALID' }, name)
      t.ok(create(routes, { default: {}, resultTtl: 0 }), name)
    }
    for (const routes of [
      { 'GET /f/{name}': READ, 'GET /f/{name}/public': READ },
      { 'GET /f/{name}': READ, 'GET /f/public': WRITE },
      { 'GET /{x}/{y}': READ, 'GET /f/{p+}': READ },
      { 'GET /f/{name}': READ, 'POST /f/{name}/notes': WRITE },
      { 'GET /f/{name}': READ, 'GET /f/{name}/notes': BOTH },
    ]) {
      t.ok(create(routes, { default: {} }), Object.keys(routes).join())
    }
  },
)

const escaped = (text: string) => text.replace(/[/{}+]/g, '\\$&')

t.test('an ambiguous path reaches no greedy route by a kept policy', async (t) => {
  const authorizer = create({
    'ANY /files/{path+}': READ,
    'GET /files/keys/1': BOTH,
    'GET /r': {},
  })
  const event = (scope: string) => requestEvent({ path: '/r', authorization: bearer(scope) })
  const open = create({ 'GET /r': READ }, { default: {} })
  for (const result of [await authorizer(event('orders/read')), await open(event('x/y'))]) {
    t.ok(allows(result, arnOf({ path: '/files/a' })))
    for (const text of [
      '%2F',
      '%2f',
      '%5C',
      '%5c',
      '%25',
      '%2E',
      '%2e',
      '//',
      '/../',
      '/./',
      '\\',
      '#',
    ]) {
      t.notOk(allows(result, arnOf({ path: `/files/keys${text}1` })), text)
    }
    t.notOk(allows(result, arnOf({ path: '/files/keys?1' })))
  }
  const other = await authorizer(event('x/y'))
  t.match(other.policyDocument.Statement, [{ Resource: [`${STAGE}/GET/r`] }])
  t.equal(other.policyDocument.Statement.length, 1)
})

t.test('undeclared routes below a wildcard are out of reach', async (t) => {
  const authorizer = create({ 'GET /orders/{id}': READ, 'ANY /files/{path+}': READ })
  const event = requestEvent({ path: '/orders/1', authorization: bearer('orders/read') })
  const result = await authorizer(event)
  for (const path of ['/orders/1', '/files/a', '/files/a/b']) {
    t.ok(allows(result, arnOf({ path })), path)
  }
  for (const path of ['/orders/', '/orders', '/orders/1/2', '/orders//', '/files/', '/files']) {
    t.notOk(allows(result, arnOf({ path })), path)
  }
  t.ok(allows(result, arnOf({ method: 'PATCH', path: '/files/a' })))
  t.notOk(allows(result, `${STAGE}/GET/x/files/a`), 'ANY is no wildcard')
})

t.test('routes that no policy can express are rejected at creation', async (t) => {
  const cannot =
    /^cognito-m2m: resultTtl: expected 0 for these routes: in a cached policy \* matches slashes/
  const refused: [string, LambdaAuthorizerOptions['routes'], object?][] = [
    ['three, nested', { 'GET /{p+}': {}, 'GET /a/{x}': WRITE, 'GET /a/b': READ }],
    ['deeper routes without default', { 'GET /a/{x}': READ, 'GET /a/{x}/b': READ }],
    ['the same text, two owners', { 'GET /a/{x}': READ, 'GET /a/{x+}': WRITE }],
    ['crossing wildcards', { 'GET /a/{x}/c': READ, 'GET /a/b/{y}': WRITE }, { default: {} }],
  ]
  for (const [name, routes, more] of refused) {
    t.throws(() => create(routes, more), { code: 'ERR_OPTION_INVALID', message: cannot }, name)
    t.ok(create(routes, { ...more, resultTtl: 0 }), name)
  }
})

t.test('decisions that depend on the request need resultTtl 0', async (t) => {
  const check = () => true
  const cases: [LambdaAuthorizerOptions['routes'], object, RegExp][] = [
    [{ 'GET /a': { check } }, {}, /routes\["GET \/a"\]: expected no `check`/],
    [{ 'GET /a': READ }, { check }, /resultTtl: expected 0 with `check`, got 300/],
    [{ 'GET /a': READ }, { default: { check } }, /default: expected no `check`/],
    [
      { 'GET /a': READ },
      { simpleResponses: true },
      /resultTtl: expected 0 with `simpleResponses`, got 300/,
    ],
    [
      { 'GET /a': false },
      {},
      /routes\["GET \/a"\]: expected a required token with resultTtl above 0/,
    ],
    [{ 'GET /a': { optional: true } }, {}, /expected a required token with resultTtl above 0/],
    [
      { 'GET /a': READ },
      { default: false },
      /default: expected a required token with resultTtl above 0/,
    ],
  ]
  for (const [routes, more, message] of cases) {
    t.throws(() => create(routes, more), { code: 'ERR_OPTION_INVALID', message }, `${message}`)
    t.ok(create(routes, { ...more, resultTtl: 0 }))
  }
})

t.test('a policy fits the size limit of API Gateway', async (t) => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`GET /route-${at}`, READ]))
  t.throws(() => create(many(100)), /resultTtl: expected 0 for this many routes/)
  const result = await create(many(55))(requestEvent({ path: '/route-1', authorization: right }))
  t.ok(Buffer.byteLength(JSON.stringify(result)) < 8192)
  t.ok(allows(result, arnOf({ path: '/route-54' })))
})

t.test('over random routes and tokens it never grants more than a fresh decision', async (t) => {
  const random = seeded(11)
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T
  const segments = ['a', 'b', 'a', '{x}', '{y}']
  const needs = [
    READ,
    READ,
    {},
    WRITE,
    { scopes: ['orders/read', 'orders/write'] },
    { clientId: 'x' },
  ]
  const texts = ['a', 'b', 'c', '']
  const tally = { refused: 0, kept: 0, granted: 0, withheld: 0 }
  const rounds = sampleSize('random routes of a kept policy', { complete: 600, sampled: 240 })
  for (let round = 0; round < rounds; round += 1) {
    const routes: Record<string, object> = {}
    for (let route = 0; route <= random(4); route += 1) {
      const path = Array.from({ length: 1 + random(3) }, () => pick(segments))
      if (random(6) === 0) path.push('{rest+}')
      routes[`${pick(['GET', 'ANY'])} /${path.join('/')}`] = pick(needs)
    }
    const more = pick([{}, {}, { default: {} }, { default: READ }])
    let kept: ReturnType<typeof create>
    let fresh: ReturnType<typeof create>
    try {
      fresh = create(routes as never, { ...more, resultTtl: 0 })
      kept = create(routes as never, more)
    } catch {
      tally.refused += 1
      continue
    }
    tally.kept += 1
    const authorization = pick([
      bearer('orders/read'),
      bearer('orders/read', 'orders/write'),
      bearer('x/y'),
    ])
    const result = await kept(requestEvent({ path: '/a', authorization }))
    const owner = new Set(Object.keys(routes).flatMap((key) => instances(key)))
    for (let probe = 0; probe < 30; probe += 1) {
      const path = `/${Array.from({ length: 1 + random(4) }, () => pick(texts)).join('/')}`
      owner.add(path)
    }
    for (const path of owner) {
      const arn = arnOf({ path })
      const granted = allows(result, arn)
      const decided = allows(await fresh(tokenEvent({ path, authorization })), arn)
      if (granted && !decided) t.fail(`${path} of ${JSON.stringify([routes, more])}`)
      tally[granted ? 'granted' : 'withheld'] += 1
      if (decided && !granted && isDeclared(path, routes)) {
        t.fail(`${path} is withheld of ${JSON.stringify([routes, more])}`)
      }
    }
  }
  t.comment(JSON.stringify(tally))
  for (const count of Object.values(tally)) t.ok(count > 50)
})

/** Paths only this route's own wildcards lead to. */
function instances(key: string): string[] {
  const path = key.slice(key.indexOf('/'))
  return ['n1', 'n2'].map((text) => path.replace(/\{\w+\+\}/, 'm/m').replace(/\{\w+\}/g, text))
}

/** Whether a path is one that some declared route was made for. */
function isDeclared(path: string, routes: Readonly<Record<string, object>>): boolean {
  return Object.keys(routes).some((key) => instances(key).includes(path))
}

t.test('a kept answer is the scope of the route, too', async (t) => {
  const authorizer = create({ 'GET /r': { scopes: SCOPE } })
  t.ok(allows(await authorizer(requestEvent({ authorization: right })), arnOf({})))
  t.notOk(allows(await authorizer(requestEvent({ authorization: wrongScope })), arnOf({})))
})
