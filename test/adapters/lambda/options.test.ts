/** What an authorizer is made of: refused with the place and the fix, at creation. */
import t from 'tap'
import { createLambdaAuthorizer } from '../../../src/adapters/lambda/index.ts'
import { pool, right, wrongScope } from '../../support/fastify.ts'
import { allows } from '../../support/gateway.ts'
import { arnOf, requestEvent, tokenEvent, v2Event } from '../../support/lambda-events.ts'

const READ = { scopes: 'orders/read' }
const OTHER = { scopes: 'orders/other' }
const create = (more: object) =>
  createLambdaAuthorizer({
    ...pool.options(),
    routes: {},
    resultTtl: 0,
    ...more,
  } as Parameters<typeof createLambdaAuthorizer>[0] & { simpleResponses: false })

t.test('rejects invalid options', async (t) => {
  const refused: [object, RegExp][] = [
    [{ resultTtl: 1.5 }, /resultTtl: expected a whole number of seconds from 0 to 3600, got 1\.5/],
    [
      { resultTtl: 3601 },
      /resultTtl: expected a whole number of seconds from 0 to 3600, got 3601\. Pass a number in this range\.$/,
    ],
    [
      { resultTtl: -1 },
      /resultTtl: expected a whole number of seconds from 0 to 3600, got -1\. Pass a number in this range\.$/,
    ],
    [
      { resultTtl: '300' },
      /resultTtl: expected a whole number of seconds from 0 to 3600, got "300"\. Pass a number in this range\.$/,
    ],
    [
      { simpleResponses: 'yes' },
      /simpleResponses: expected a boolean, got "yes"\. Pass true or false\./,
    ],
    [
      { routes: [] },
      /routes: expected a plain object, got an empty array\. Pass an object literal\./,
    ],
    [
      { routes: new Map() },
      /routes: expected a plain object, got an object\. Pass an object literal\./,
    ],
    [{ route: {} }, /route: expected one of routes, resultTtl/],
    [
      { errors: 'next' },
      /errors: expected one of .+, got an unknown name\. Rename or remove it\.$/,
    ],
    [
      { default: 'orders/read' },
      /default: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read"/,
    ],
    [{ resultTtl: undefined }, /resultTtl: expected a value, got undefined/],
  ]
  for (const [more, message] of refused) {
    t.throws(() => create(more), { code: 'ERR_OPTION_INVALID', message }, `${message}`)
  }
  const { resultTtl: _ttl, ...without } = { ...pool.options(), routes: {}, resultTtl: 0 }
  t.throws(() => createLambdaAuthorizer(without as never), {
    code: 'ERR_OPTION_INVALID',
    message:
      /resultTtl: expected a number of seconds, got undefined\. Set it to the TTL of the authorizer in API Gateway/,
  })
  const { routes: _routes, ...unrouted } = { ...pool.options(), routes: {}, resultTtl: 0 }
  t.throws(
    () => createLambdaAuthorizer(unrouted as never),
    /routes: expected a plain object, got undefined/,
  )
})

t.test('rejects invalid routes', async (t) => {
  const noRoute = /expected a method \(or ANY\) and a path, got ".*"\. Write, for example/
  const refused: [string, unknown, RegExp][] = [
    ['/orders', READ, noRoute],
    ['$default', READ, noRoute],
    ['get /orders', READ, noRoute],
    ['TRACE /orders', READ, noRoute],
    ['GET  /orders', READ, noRoute],
    ['GET orders', READ, noRoute],
    ['GET /a b', READ, noRoute],
    [
      'GET /a*',
      READ,
      /expected segments of literal text, \{name\}, or \{name\+\} at the end, got "a\*"/,
    ],
    ['GET /{a+}/b', READ, /at the end, got "\{a\+\}"/],
    ['GET /{a', READ, /at the end, got "\{a"/],
    ['GET /x{a}', READ, /at the end, got "x\{a\}"/],
    ['GET /a//b', READ, /at the end, got ""/],
    ['GET /%zz', READ, /at the end, got "%zz"/],
    [
      'GET /a',
      'orders/read',
      /routes\["GET \/a"\]: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read"/,
    ],
    [
      'GET /a',
      true,
      /routes\["GET \/a"\]: expected a requirement, got true\. Pass \{\} for any valid token\./,
    ],
    [
      'GET /a',
      { scope: 'x/y' },
      /routes\["GET \/a"\]\.scope: expected one of scopes, .+, got an unknown name/,
    ],
  ]
  for (const [key, need, message] of refused) {
    const routes = { [key]: need }
    t.throws(() => create({ routes }), { code: 'ERR_OPTION_INVALID', message }, key)
  }
  for (const [one, other] of [
    ['GET /a/{x}', 'GET /a/{y}'],
    ['GET /a', 'GET /a/'],
    ['ANY /{p+}', 'ANY /{q+}'],
  ] as const) {
    const routes = { [one]: READ, [other]: READ }
    t.throws(
      () => create({ routes }),
      /got the same route as ".*"\. Remove one of the two\./,
      other,
    )
  }
})

t.test('the most specific route decides about a path', async (t) => {
  const authorizer = create({
    routes: {
      'ANY /{rest+}': OTHER,
      'GET /a/{x}': OTHER,
      'GET /a/b': READ,
      'GET /a/{x}/c': READ,
      'ANY /d': OTHER,
      'GET /d': READ,
      'GET /a/{rest+}': OTHER,
    },
  })
  for (const path of ['/a/b', '/a/b/', '/a/x/c', '/d']) {
    const ask = (authorization: string) => authorizer(tokenEvent({ path, authorization }))
    t.ok(allows(await ask(right), arnOf({ path })), path)
    t.notOk(allows(await ask(wrongScope), arnOf({ path })), path)
  }
  for (const sent of [
    { path: '/a/x' },
    { path: '/a/x/y' },
    { path: '/z' },
    { method: 'PUT', path: '/d' },
    { method: 'PUT', path: '/a/b' },
  ]) {
    const ask = (authorization: string) => authorizer(tokenEvent({ ...sent, authorization }))
    t.notOk(allows(await ask(right), arnOf(sent)), sent.path)
    t.ok(allows(await ask(wrongScope), arnOf(sent)), sent.path)
  }
})

t.test('a route the event names counts where its path is of none', async (t) => {
  const authorizer = create({ routes: { 'ANY /orders/{id}': READ } })
  const path = '/orders/1/2'
  const event = { ...requestEvent({ path, authorization: right }), resource: '/orders/{order}' }
  t.ok(allows(await authorizer(event), arnOf({ path })), 'an encoded slash was decoded')
  const v2 = { ...v2Event({ path, authorization: right }), routeKey: '$default' }
  t.notOk(allows(await authorizer(v2), arnOf({ path })))
})
