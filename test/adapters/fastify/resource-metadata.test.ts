/** RFC 9728 over Fastify: where the document is, who may read it, and what challenges say. */
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { defineScopes } from '../../../src/index.ts'
import {
  newApp,
  otherPool,
  pool,
  protectedApp,
  right,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const resource = 'https://api.example.com'
/** Keys that are given hold for both forms of the issuer. */
const forms = (issuer: string) => [
  issuer,
  issuer.replace('https://cognito-idp', 'https://issuer-cognito-idp'),
]

t.test('the document is public, at the root, and built from configuration only', async (t) => {
  const app = await protectedApp(t, { resourceMetadata: { resource }, default: {} })
  app.get('/r', { config: { auth: { scopes: ['orders/write', 'orders/read'] } } }, async () => 'r')
  app.register(async (child) => {
    child.register(authDefault, { auth: { scopes: 'orders/admin' } })
    child.get('/child', async () => 'c')
  })
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
  const response = await app.inject({ url: WELL_KNOWN, headers })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(response.json(), {
    resource,
    authorization_servers: forms(pool.issuer),
    scopes_supported: ['orders/admin', 'orders/read', 'orders/write'],
    bearer_methods_supported: ['header'],
  })
  t.equal((await app.inject({ method: 'HEAD', url: WELL_KNOWN })).statusCode, 200)
  t.equal((await app.inject(`${WELL_KNOWN}/other`)).statusCode, 401)
})

t.test('each challenge says where it is, a 503 has none', async (t) => {
  const app = await protectedApp(t, {
    resourceMetadata: { resource: 'https://api.example.com/v1' },
    check: () => Promise.reject(new Error('down')),
  })
  app.get('/r', { config: { auth: { scopes: 'orders/read' } } }, async () => 'r')
  const param = `resource_metadata="https://api.example.com${WELL_KNOWN}/v1"`
  const ask = async (authorization?: string) =>
    (await app.inject({ url: '/r', headers: withAuth(authorization) })).headers['www-authenticate']
  t.equal(await ask(), `Bearer realm="api", scope="orders/read", ${param}`)
  t.equal(
    await ask('Bearer x'),
    `Bearer realm="api", error="invalid_token", error_description="The access token is malformed", scope="orders/read", ${param}`,
  )
  t.equal(
    await ask(wrongScope),
    `Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope required here", scope="orders/read", ${param}`,
  )
  t.equal(await ask(right), undefined)
  t.match((await app.inject(`${WELL_KNOWN}/v1`)).json(), { resource: 'https://api.example.com/v1' })
})

t.test('registered below a prefix it is still at the root, one document a resource', async (t) => {
  const app = newApp(t)
  const children = [
    { prefix: '/v1', of: pool },
    { prefix: '/v2', of: otherPool },
  ]
  for (const { prefix, of } of children) {
    app.register(
      async (child) => {
        const resourceMetadata = { resource: `${resource}${prefix}` }
        await child.register(cognitoAuth, { ...of.options(), resourceMetadata })
        child.get('/r', { config: { auth: { scopes: `${prefix.slice(1)}/read` } } }, async () => '')
      },
      { prefix },
    )
  }
  for (const { prefix, of } of children) {
    t.strictSame((await app.inject(`${WELL_KNOWN}${prefix}`)).json(), {
      resource: `${resource}${prefix}`,
      authorization_servers: forms(of.issuer),
      scopes_supported: [`${prefix.slice(1)}/read`],
      bearer_methods_supported: ['header'],
    })
    t.equal((await app.inject(`${prefix}${WELL_KNOWN}`)).statusCode, 404)
    t.equal((await app.inject(`${prefix}/r`)).statusCode, 401)
  }
})

t.test('below a protected root it is open all the same', async (t) => {
  const app = await protectedApp(t)
  app.register(async (child) => {
    const options = { ...otherPool.options(), resourceMetadata: { resource }, allowNoRoutes: true }
    await child.register(cognitoAuth, options)
  })
  t.equal((await app.inject(WELL_KNOWN)).statusCode, 200)
})

t.test('without the option there is neither document nor parameter', async (t) => {
  const app = await protectedApp(t)
  const response = await app.inject({ url: WELL_KNOWN, headers: withAuth(right) })
  t.equal(response.statusCode, 404)
  t.notMatch((await app.inject('/r')).headers['www-authenticate'], /resource_metadata/)
})

t.test('scopes come from definitions, or are left out', async (t) => {
  const orders = defineScopes('orders', { read: 'Read', write: 'Write' })
  const listed = await protectedApp(t, {
    resourceMetadata: { resource, scopes: [orders, 'reports/run', 'orders/read'] },
  })
  t.strictSame((await listed.inject(WELL_KNOWN)).json().scopes_supported, [
    'orders/read',
    'orders/write',
    'reports/run',
  ])
  const hidden = await protectedApp(t, {
    resourceMetadata: { resource, scopes: false },
    default: { scopes: 'orders/read' },
  })
  t.notOk('scopes_supported' in (await hidden.inject(WELL_KNOWN)).json())
})
