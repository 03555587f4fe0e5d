/** `userPoolId` of a requirement: a scope or client id of one pool proves nothing about another's. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { cognitoAuth as expressAuth } from '../../src/adapters/express/index.ts'
import { authDefault, cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { createLambdaAuthorizer } from '../../src/adapters/lambda/index.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import type { AccessRequirement } from '../../src/index.ts'
import {
  type Changes,
  CLIENT,
  jwk,
  keyPair,
  machineToken,
  NOW,
  outcome,
  POOL,
  refusal,
  serve,
} from '../support/forge.ts'
import { allows } from '../support/gateway.ts'
import { arnOf, requestEvent } from '../support/lambda-events.ts'

const PARTNER = 'us-east-1_Partner12'
const iss = `https://cognito-idp.us-east-1.amazonaws.com/${PARTNER}`
const partners = keyPair('partner')
const now = (): number => NOW * 1000
const userPools = [
  { userPoolId: POOL, clientId: null, jwks: { keys: [jwk()] } },
  { userPoolId: PARTNER, clientId: null, jwks: { keys: [jwk({}, partners)] } },
]
const options = { userPools, now }
const OURS: AccessRequirement = { scopes: 'orders/admin', userPoolId: POOL }

/** The partner names its clients and scopes as it likes: here exactly as we do. */
const ours = (claims: Changes = {}) =>
  `Bearer ${machineToken({ scope: 'orders/admin', ...claims })}`
const theirs = (claims: Changes = {}) =>
  `Bearer ${machineToken({ scope: 'orders/admin', iss, ...claims }, {}, partners)}`
const UNKNOWN = { scopes: 'orders/admin', userPoolId: 'eu-west-1_Forgotten' }
const refused = (optionPath: string) => ({
  code: 'ERR_OPTION_INVALID',
  message: `cognito-m2m: ${optionPath}.userPoolId: expected "${POOL}" or "${PARTNER}", got "eu-west-1_Forgotten". Use a user pool of this server.`,
})

t.test("another pool's scope or client id does not open a route of one pool", async (t) => {
  for (const tokenCache of [undefined, false, { maxEntries: 1 }]) {
    const server = serve({ ...options, tokenCache })
    const any = server.guard({ scopes: 'orders/admin' })
    const one = server.guard(OURS)
    const client = server.guard({ clientId: CLIENT, userPoolId: [POOL] })
    const both = server.guard({ ...OURS, userPoolId: [POOL, PARTNER] })
    for (let turn = 0; turn < 2; turn += 1) {
      // The routes differ in their pool alone, so remembering one must not answer for another.
      t.equal(await outcome(any, theirs()), 'accepted')
      t.equal(await outcome(both, theirs()), 'accepted')
      t.equal(await outcome(one, theirs()), 'ERR_ACCESS_DENIED')
      t.equal(await outcome(client, theirs()), 'ERR_ACCESS_DENIED')
      for (const guard of [any, one, client, both])
        t.equal(await outcome(guard, ours()), 'accepted')
    }
    const { statusCode, headers } = await refusal(one, theirs())
    t.strictSame(
      { statusCode, headers },
      {
        statusCode: 403,
        headers: { 'cache-control': 'no-store', 'www-authenticate': 'Bearer realm="api"' },
      },
    )
    const denied = await outcome(one, theirs({ scope: '' }))
    t.equal(denied, 'ERR_SCOPE_INSUFFICIENT', 'scopes come first, as before clientId')
  }
})

t.test('the default may name a pool, and `check` is not asked about another', async (t) => {
  const asked: string[] = []
  const check = () => asked.push('check') > 0
  const guard = serve({ ...options, default: { userPoolId: POOL, check } }).guard()
  t.equal(await outcome(guard, theirs()), 'ERR_ACCESS_DENIED')
  t.strictSame(asked, [])
  t.equal(await outcome(guard, ours()), 'accepted')
  t.strictSame(asked, ['check'])
})

t.test('rejects an invalid user pool id', async (t) => {
  const wrong: [unknown, RegExp][] = [
    [
      [],
      /^cognito-m2m: route\.userPoolId: expected at least one user pool id, got an empty array\. Add one\.$/,
    ],
    [undefined, /route\.userPoolId: expected a value, got undefined/],
    [
      null,
      /route\.userPoolId: expected the user pool id as a non-empty string without spaces, got null\. Pass/,
    ],
    ['', /route\.userPoolId: expected .*, got ""/],
    [[POOL, 5], /route\.userPoolId\[1\]: expected .*, got 5/],
    [() => true, /route\.userPoolId: expected .*, got a function/],
  ]
  for (const [userPoolId, message] of wrong) {
    const refusal = { code: 'ERR_OPTION_INVALID', message }
    t.throws(() => compileRequirement({ userPoolId }, 'route'), refusal)
  }
})

t.test('rejects a user pool that the server does not have', async (t) => {
  t.throws(() => serve(options).guard(UNKNOWN), refused('requirement'))
  t.throws(() => serve({ ...options, default: UNKNOWN }), refused('default'))
  const several = { ...UNKNOWN, userPoolId: [POOL, UNKNOWN.userPoolId] }
  t.throws(() => serve(options).guard(several), refused('requirement'))
  t.throws(() => expressAuth(options)(UNKNOWN), refused('auth'))
  for (const resultTtl of [0, 300]) {
    const made = () =>
      createLambdaAuthorizer({ ...options, resultTtl, routes: { 'GET /r': UNKNOWN } })
    t.throws(made, refused('routes["GET /r"]'))
  }
  const single = serve().guard({ userPoolId: POOL })
  t.equal(await outcome(single, ours()), 'accepted', 'one pool may be named too')
})

t.test('a Fastify app with an unknown pool does not start', async (t) => {
  const app = Fastify()
  await app.register(cognitoAuth, options)
  app.get('/r', { config: { auth: UNKNOWN } }, async () => 'reached')
  await t.rejects(Promise.resolve(app.ready()), refused('config.auth of GET /r'))
  const docs = Fastify()
  await docs.register(cognitoAuth, options)
  docs.register(authDefault, { auth: UNKNOWN })
  await t.rejects(Promise.resolve(docs.ready()), refused('authDefault.auth'))
})

t.test('Fastify looks up the pool in the nearest registration, also a later one', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const [our, their] = userPools
  await app.register(cognitoAuth, { ...our, now } as never)
  app.register(async (inner) => {
    inner.register(cognitoAuth, { ...their, now } as never)
    inner.get('/r', { config: { auth: { userPoolId: PARTNER } } }, async () => 'reached')
  })
  const status = async (authorization: string) =>
    (await app.inject({ url: '/r', headers: { authorization } })).statusCode
  t.equal(await status(theirs()), 200)
  t.equal(await status(ours()), 401)
})

async function answers(t: Test, origin: string): Promise<void> {
  const ask = async (authorization: string) => {
    const response = await fetch(`${origin}/r`, { headers: { authorization } })
    const { code } = (await response.json()) as { code?: string }
    return [response.status, code, response.headers.get('www-authenticate')]
  }
  for (let turn = 0; turn < 2; turn += 1) {
    t.strictSame(await ask(ours()), [200, undefined, null])
    t.strictSame(await ask(theirs()), [403, 'ERR_ACCESS_DENIED', 'Bearer realm="api"'])
  }
}

t.test('Fastify enforces it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cognitoAuth, options)
  app.get('/r', { config: { auth: OURS } }, async () => ({}))
  await answers(t, await app.listen({ port: 0, host: '127.0.0.1' }))
})

t.test('Express enforces it', async (t) => {
  const app = express()
  app.get('/r', expressAuth(options)(OURS), (_req, res) => void res.json({}))
  const listening = app.listen(0, '127.0.0.1')
  t.teardown(() => listening.close())
  await once(listening, 'listening')
  await answers(t, `http://127.0.0.1:${(listening.address() as AddressInfo).port}`)
})

t.test('Lambda enforces it, and a kept policy says it of each route', async (t) => {
  const routes = {
    'GET /ours': { userPoolId: POOL },
    'GET /theirs': { userPoolId: PARTNER },
    'GET /both': {},
  }
  for (const resultTtl of [0, 300]) {
    const authorizer = createLambdaAuthorizer({ ...options, resultTtl, routes })
    for (const [authorization, reached] of [
      [ours(), ['/ours', '/both']],
      [theirs(), ['/theirs', '/both']],
    ] as const) {
      const paths = ['/ours', '/theirs', '/both']
      const policies = await Promise.all(
        paths.map((path) => authorizer(requestEvent({ authorization, path }))),
      )
      for (const [at, path] of paths.entries()) {
        // What is kept for one route answers for all of them.
        const kept = resultTtl === 0 ? policies.slice(at, at + 1) : policies
        for (const policy of kept) {
          t.equal(allows(policy, arnOf({ path }), NOW), reached.includes(path as never), path)
        }
      }
    }
  }
})

t.test('a kept policy does not let a wildcard of one pool reach a route of another', async (t) => {
  const routes = {
    'GET /{name}': { userPoolId: [POOL, PARTNER] },
    'GET /admin': { userPoolId: POOL },
  }
  const authorizer = createLambdaAuthorizer({ ...options, resultTtl: 300, routes })
  const policy = await authorizer(requestEvent({ authorization: theirs(), path: '/x' }))
  t.equal(allows(policy, arnOf({ path: '/x' }), NOW), true)
  t.equal(allows(policy, arnOf({ path: '/admin' }), NOW), false)
  const own = await authorizer(requestEvent({ authorization: ours(), path: '/x' }))
  t.equal(allows(own, arnOf({ path: '/admin' }), NOW), true)
})
