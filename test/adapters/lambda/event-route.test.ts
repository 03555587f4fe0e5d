/** The route that an event names decides. Paths decide for greedy routes and TOKEN events alone. */
import t from 'tap'
import {
  type AuthorizerEvent,
  createLambdaAuthorizer,
  type LambdaAuthorizerOptions,
} from '../../../src/adapters/lambda/index.ts'
import { pool, right } from '../../support/fastify.ts'
import { allows, thrownStatus } from '../../support/gateway.ts'
import {
  arnOf,
  requestEvent,
  type Sent,
  tokenEvent,
  v1Event,
  v2Event,
} from '../../support/lambda-events.ts'

const READ = { scopes: 'orders/read' }
const WRITE = { scopes: 'orders/write' }

const create = (routes: LambdaAuthorizerOptions['routes'], more: object = {}) =>
  createLambdaAuthorizer({
    ...pool.options(),
    routes,
    resultTtl: 0,
    ...more,
  } as LambdaAuthorizerOptions & { simpleResponses: false })

type Authorizer = ReturnType<typeof create>

const routed = { 'REST REQUEST': requestEvent, 'HTTP API 1.0': v1Event, 'HTTP API 2.0': v2Event }

/** `allowed`, the code of a Deny, or the status and code of what was thrown. */
async function verdictOf(authorizer: Authorizer, event: AuthorizerEvent): Promise<string> {
  const arn = 'routeArn' in event ? event.routeArn : event.methodArn
  try {
    const result = await authorizer(event)
    return allows(result, arn) ? 'allowed' : String(result.context?.['code'])
  } catch (error) {
    return `${thrownStatus(error)} ${(error as { code?: string }).code}`
  }
}

/** The same verdict for every kind of event that names its route. */
async function expectRouted(t: Tap, authorizer: Authorizer, sent: Sent, verdict: string) {
  for (const [kind, eventOf] of Object.entries(routed)) {
    const { method = 'GET', path, template } = sent
    const name = `${kind}: ${method} ${path} routed to ${template}`
    t.equal(await verdictOf(authorizer, eventOf(sent)), verdict, name)
  }
}

type Tap = Pick<typeof t, 'equal'>

t.test('an undeclared route is never decided by a declared one below it', async (t) => {
  const routes = { 'GET /files/{name}/public': false, 'GET /files/{id}/notes': READ } as const
  const template = '/files/{name}'
  for (const path of ['/files/secret/public', '/files/secret%2Fpublic', '/files/secret%2fpublic']) {
    const sent = { path, template }
    await expectRouted(t, create(routes), sent, '401 ERR_TOKEN_MISSING')
    await expectRouted(t, create(routes), { ...sent, authorization: right }, 'ERR_ACCESS_DENIED')
    const strict = create(routes, { default: WRITE })
    await expectRouted(t, strict, { ...sent, authorization: right }, 'ERR_SCOPE_INSUFFICIENT')
  }
  const notes = { path: '/files/a/notes', template, authorization: right }
  await expectRouted(t, create(routes), notes, 'ERR_ACCESS_DENIED')
  const open = { path: '/files/a/public', template: '/files/{name}/public' }
  await expectRouted(t, create(routes), open, 'allowed')
})

t.test('a declared greedy route does not decide for a route that API Gateway knows', async (t) => {
  const authorizer = create({ 'ANY /{rest+}': false })
  await expectRouted(t, authorizer, { path: '/a', template: '/a' }, '401 ERR_TOKEN_MISSING')
  await expectRouted(t, authorizer, { path: '/a', template: '/{id}' }, '401 ERR_TOKEN_MISSING')
  const below = { path: '/a/b', template: '/a/{rest+}' }
  await expectRouted(t, authorizer, below, '401 ERR_TOKEN_MISSING')
  await expectRouted(t, authorizer, { path: '/a/b', template: '/{proxy+}' }, 'allowed')
})

t.test('the route named by the event decides, whatever its decoded path looks like', async (t) => {
  const authorizer = create({
    'GET /orders/{id}': WRITE,
    'GET /orders/{id}/notes': READ,
    'POST /orders/{id}': READ,
    'ANY /orders/{id}': false,
    'GET /orders/summary': WRITE,
  })
  const sent = { authorization: right, path: '/orders/1/notes' }
  const id = '/orders/{order}'
  await expectRouted(t, authorizer, { ...sent, template: id }, 'ERR_SCOPE_INSUFFICIENT')
  await expectRouted(t, authorizer, { ...sent, template: '/orders/{id}/notes' }, 'allowed')
  // Its own requirement, not both: a path that reads like a stricter route changes nothing either.
  const summary = { ...sent, path: '/orders/summary', template: id }
  await expectRouted(t, authorizer, { ...summary, method: 'POST' }, 'allowed')
  await expectRouted(t, authorizer, { path: '/orders/1', template: id, method: 'PUT' }, 'allowed')
  const post = { path: '/orders/1', template: id, method: 'POST' }
  await expectRouted(t, authorizer, post, '401 ERR_TOKEN_MISSING')
})

t.test('a route key of ANY and a method of its own', async (t) => {
  const authorizer = create({ 'ANY /orders': READ, 'DELETE /orders': WRITE })
  const event = (method: string) => ({
    ...v2Event({ method, path: '/orders', authorization: right }),
    routeKey: 'ANY /orders',
  })
  t.equal(await verdictOf(authorizer, event('GET')), 'allowed')
  t.equal(await verdictOf(authorizer, event('DELETE')), 'ERR_SCOPE_INSUFFICIENT')
  const lower = v2Event({ method: 'get', path: '/orders', authorization: right })
  t.equal(await verdictOf(authorizer, lower), '500 ERR_EVENT_UNKNOWN')
})

t.test('an event that names no route it could have is decided by the default', async (t) => {
  const routes = { 'GET /r': false } as const
  for (const resource of [undefined, null, 7, '', 'r', 'GET r', '$connect', 'get /r']) {
    const rest = { ...requestEvent({}), resource } as never
    t.equal(await verdictOf(create(routes), rest), '401 ERR_TOKEN_MISSING', String(resource))
    const http = { ...v2Event({}), routeKey: resource } as never
    t.equal(await verdictOf(create(routes), http), '401 ERR_TOKEN_MISSING', String(resource))
    t.equal(await verdictOf(create(routes, { default: false }), http), 'allowed')
  }
})

t.test('an event that names no route is not taken for one of the root', async (t) => {
  const authorizer = create({ 'GET /': false })
  t.equal(await verdictOf(authorizer, requestEvent({ path: '/', template: '/' })), 'allowed')
  for (const resource of [undefined, '', null, 7, 'GET ', '/..', '//']) {
    const event = { ...requestEvent({ path: '/' }), resource } as AuthorizerEvent
    t.equal(await verdictOf(authorizer, event), '401 ERR_TOKEN_MISSING', String(resource))
  }
  for (const routeKey of [undefined, '', 'GET', 'GET ']) {
    const event = { ...v2Event({ path: '/' }), routeKey } as AuthorizerEvent
    t.equal(await verdictOf(authorizer, event), '401 ERR_TOKEN_MISSING', String(routeKey))
  }
})

t.test('behind a greedy route the most specific declared route within it decides', async (t) => {
  const authorizer = create({
    'GET /files/{path+}': READ,
    'GET /files/{name}/public': false,
    'ANY /files/admin/{path+}': WRITE,
    'GET /files': false,
    'GET /{x}/y/z': false,
    'GET /': false,
  })
  const template = '/files/{proxy+}'
  const cases: [path: string, verdict: string][] = [
    ['/files/a', 'allowed'],
    ['/files/a/b/c', 'allowed'],
    ['/files/admin/a', 'ERR_SCOPE_INSUFFICIENT'],
    ['/files/y/z', 'allowed'],
    // Neither the sibling route nor one above it: API Gateway would have selected that itself.
    ['/files/', 'ERR_ACCESS_DENIED'],
    ['/other/y/z', 'ERR_ACCESS_DENIED'],
  ]
  for (const [path, verdict] of cases) {
    await expectRouted(t, authorizer, { path, template, authorization: right }, verdict)
  }
  await expectRouted(t, authorizer, { path: '/files/a/public', template }, 'allowed')
  await expectRouted(t, authorizer, { path: '/files/y/z', template }, '401 ERR_TOKEN_MISSING')
  for (const root of ['$default', '/{proxy+}']) {
    const open = { path: '/files', template: root }
    await expectRouted(t, authorizer, open, 'allowed')
    await expectRouted(t, authorizer, { path: '/x/y/z', template: root }, 'allowed')
    const admin = { path: '/files/admin/a', template: root, authorization: right }
    await expectRouted(t, authorizer, admin, 'ERR_SCOPE_INSUFFICIENT')
  }
  await expectRouted(t, authorizer, { path: '/', template: '$default' }, 'allowed')
})

t.test('a plain segment lies within a greedy route with a parameter there', async (t) => {
  const authorizer = create({ 'ANY /{tenant}/{path+}': READ, 'GET /acme/keys': WRITE })
  const sent = { template: '/{tenant}/{proxy+}', authorization: right }
  await expectRouted(t, authorizer, { ...sent, path: '/acme/orders' }, 'allowed')
  await expectRouted(t, authorizer, { ...sent, path: '/acme/keys' }, 'ERR_SCOPE_INSUFFICIENT')
})

/** What a backend may read as another path than the one that was decided about. */
const AMBIGUOUS = [
  '/files/a%2Fb',
  '/files/a%2fb',
  '/files/a%5Cb',
  '/files/a%5cb',
  '/files/a%252Fb',
  '/files/a%25',
  '/files//a',
  '/files/a//',
  '/files/../a',
  '/files/a/..',
  '/files/a..b',
  '/files/%2E%2E/a',
  '/files/%2e./a',
  '/files/./a',
  '/files/a/.',
  '/files/%2E/a',
  '/files/a\\b',
  '/files/a?b',
  '/files/a%3Fb',
  '/files/a#b',
  '/files/a%23b',
  '/files/a\u0000b',
  '/files/a%0Ab',
  '/files/a%7Fb',
  '/files/a%zz',
  '/files/a%FF',
  '/files/a%',
]

t.test('an ambiguous path of a greedy route is denied, public or not', async (t) => {
  const routes = { 'ANY /files/{path+}': false, 'ANY /{path+}': {} } as const
  for (const more of [{}, { default: {} }, { default: false }]) {
    const authorizer = create(routes, more)
    for (const template of ['/files/{proxy+}', '/{proxy+}', '/undeclared/{proxy+}', '$default']) {
      for (const path of AMBIGUOUS) {
        const sent = { path, template }
        await expectRouted(t, authorizer, sent, '401 ERR_TOKEN_MISSING')
        const known = { ...sent, authorization: right }
        await expectRouted(t, authorizer, known, 'ERR_ACCESS_DENIED')
      }
    }
  }
})

t.test('any other spelling of a path passes a greedy route', async (t) => {
  const authorizer = create({ 'ANY /files/{path+}': READ })
  const names = ['a', 'a.b', '.well-known', 'a.', 'a%20b', 'caf%C3%A9', 'é', 'a:b;c@d']
  for (const name of names) {
    const sent = { path: `/files/${name}`, template: '/files/{proxy+}', authorization: right }
    await expectRouted(t, authorizer, sent, 'allowed')
  }
})

t.test('a path is ambiguous wherever the event spells it so', async (t) => {
  const authorizer = create({ 'ANY /files/{path+}': false })
  const sent = { path: '/files/a/b', template: '/files/{proxy+}' }
  t.equal(await verdictOf(authorizer, requestEvent(sent)), 'allowed')
  const spelled = { proxy: 'a%2Fb' }
  const rest = { ...requestEvent(sent), path: '/files/a%2Fb' }
  const http = { ...v2Event(sent), rawPath: '/prod/files/a%2Fb' }
  for (const event of [
    rest,
    http,
    { ...requestEvent(sent), pathParameters: spelled },
    { ...v2Event(sent), pathParameters: spelled },
  ]) {
    t.equal(await verdictOf(authorizer, event), '401 ERR_TOKEN_MISSING')
  }
  const odd = { ...requestEvent(sent), path: 7, pathParameters: { proxy: null } } as never
  t.equal(await verdictOf(authorizer, odd), 'allowed')
})

t.test(
  'behind a greedy route, plain text that is encoded is no way around its route',
  async (t) => {
    const routes = {
      'GET /admin': WRITE,
      'GET /health': false,
      'GET /caf%C3%A9': WRITE,
      'GET /%FF': WRITE,
      'ANY /{proxy+}': READ,
    } as const
    const verdict = (sent: Sent) => verdictOf(create(routes), tokenEvent(sent))
    for (const template of ['/{proxy+}', '$default']) {
      for (const path of ['/%61dmin', '/a%64min/', '/%68ealth', '/caf%c3%a9', '/c%61fé']) {
        const sent = { path, template, authorization: right }
        await expectRouted(t, create(routes), sent, 'ERR_ACCESS_DENIED')
        t.equal(await verdict(sent), 'ERR_ACCESS_DENIED', path)
      }
      for (const path of ['/caf%C3%A9', '/café']) {
        const sent = { path, template, authorization: right }
        await expectRouted(t, create(routes), sent, 'ERR_SCOPE_INSUFFICIENT')
      }
      for (const path of ['/a%20b', '/user%40example.com', '/x/%61', '/caf%C3%A8']) {
        const sent = { path, template, authorization: right }
        await expectRouted(t, create(routes), sent, 'allowed')
      }
    }
  },
)

t.test('a path parameter may hold anything where no path decides', async (t) => {
  const authorizer = create({ 'GET /files/{name}': READ })
  for (const path of AMBIGUOUS) {
    const sent = { path, template: '/files/{name}', authorization: right }
    await expectRouted(t, authorizer, sent, 'allowed')
  }
})

t.test('a TOKEN event is decided by its path, and denied where that is ambiguous', async (t) => {
  const authorizer = create({ 'GET /files/{name}': READ, 'GET /files/{name}/public': false })
  const verdict = (sent: Sent) => verdictOf(authorizer, tokenEvent(sent))
  t.equal(await verdict({ path: '/files/a', authorization: right }), 'allowed')
  t.equal(await verdict({ path: '/files/a/public' }), 'allowed')
  for (const path of [...AMBIGUOUS, '/files/secret%2Fpublic']) {
    t.equal(await verdict({ path }), '401 ERR_TOKEN_MISSING', path)
    t.equal(await verdict({ path, authorization: right }), 'ERR_ACCESS_DENIED', path)
  }
})

t.test('simple responses are decided alike', async (t) => {
  const simple = createLambdaAuthorizer({
    ...pool.options(),
    routes: { 'GET /files/{name}/public': false, 'ANY /all/{path+}': false },
    resultTtl: 0,
    simpleResponses: true,
  })
  const known = { authorization: right }
  const below = { path: '/files/a/public', template: '/files/{name}', ...known }
  const encoded = { path: '/all/a%2Fb', template: '/all/{proxy+}', ...known }
  for (const sent of [below, encoded]) {
    t.strictSame(await simple(v2Event(sent)), {
      isAuthorized: false,
      context: { code: 'ERR_ACCESS_DENIED' },
    })
  }
})

t.test('the Allow names the request, not the route', async (t) => {
  const authorizer = create({ 'GET /files/{name}': READ })
  const sent = { path: '/files/a/public', template: '/files/{name}', authorization: right }
  const result = await authorizer(requestEvent(sent))
  t.ok(allows(result, arnOf(sent)))
  t.notOk(allows(result, arnOf({ path: '/files/b' })))
})
