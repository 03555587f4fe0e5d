/** What tools get: the `AuthInfo` of the SDK, without a token that could be printed, and `getAuth`. */
import { inspect } from 'node:util'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import express from 'express'
import t from 'tap'
import { cognitoAuth, createFetchAuth, getAuth } from '../../../src/adapters/mcp/index.ts'
import { OptionError } from '../../../src/index.ts'
import { NOW, withAuth } from '../../support/fastify.ts'
import {
  callTool,
  listen,
  mcpOptions,
  mcpPool,
  platforms,
  READ,
  RESOURCE,
  type Seen,
  WRITE,
} from '../../support/mcp.ts'

const token = mcpPool.accessToken({ scopes: [READ, WRITE], expiresIn: 600 })
const userToken = (aud: unknown) =>
  mcpPool.userAccessToken({ clientId: 'agent', scopes: READ, claims: { aud } })

for (const [platform, create] of platforms) {
  t.test(`${platform}: a tool gets the AuthInfo of its caller`, async (t) => {
    const seen: Seen = { authInfo: undefined }
    const port = await listen(t, create(mcpOptions(), { scopes: READ }, seen))
    const { content } = await callTool(port, `bearer   ${token}`)
    t.strictSame(content, [{ type: 'text', text: 'agent' }])
    const authInfo = seen.authInfo as AuthInfo
    t.equal(authInfo.token, token, 'the token without the scheme')
    t.equal(authInfo.clientId, 'agent')
    t.strictSame(authInfo.scopes, [READ, WRITE])
    t.equal(authInfo.expiresAt, NOW / 1000 + 600)
    t.notOk('resource' in authInfo, 'a machine token has no aud')
    const verified = getAuth(authInfo)
    t.ok(verified.scopes.has(WRITE))
    t.strictSame(authInfo.extra, {
      subject: 'agent',
      userPoolId: mcpPool.userPoolId,
      issuer: mcpPool.issuer,
      tokenId: verified.tokenId,
      issuedAt: NOW / 1000,
      claims: verified.claims,
    })
    const [, payload = ''] = token.split('.')
    const copies = [inspect(authInfo, { depth: 9 }), JSON.stringify(authInfo)]
    for (const text of [...copies, inspect({ ...authInfo }), inspect(structuredClone(authInfo))]) {
      t.notOk(text.includes(payload), 'the token is not printed')
    }
    t.throws(() => getAuth({ ...authInfo }), OptionError)
  })

  t.test(`${platform}: resource is an aud of the token and nothing else`, async (t) => {
    const seen: Seen = { authInfo: undefined }
    const resourceFor = async (aud: unknown, options: object = {}) => {
      const accepting = { ...mcpOptions(), subjects: 'any', ...options } as never
      const port = await listen(t, create(accepting, { scopes: READ }, seen))
      seen.authInfo = undefined
      await callTool(port, `Bearer ${userToken(aud)}`)
      const { resource } = seen.authInfo as unknown as AuthInfo
      if (resource !== undefined) t.type(resource, URL)
      return resource?.href
    }
    t.equal(await resourceFor(RESOURCE), RESOURCE)
    t.equal(await resourceFor(['https://a.example/', RESOURCE]), RESOURCE)
    const any = { audience: null }
    t.equal(await resourceFor(undefined, any), undefined)
    t.equal(await resourceFor('agent', any), undefined)
    const elsewhere = { audience: ['https://b.example/x', 'urn:b', 'https://['] }
    t.equal(await resourceFor('https://b.example/x', elsewhere), 'https://b.example/x')
    t.equal(await resourceFor('urn:b', elsewhere), undefined)
    t.equal(await resourceFor('https://[', elsewhere), undefined)
    const unnamed = { ...elsewhere, resourceMetadata: undefined }
    Reflect.deleteProperty(unnamed, 'resourceMetadata')
    t.equal(await resourceFor(['urn:b', 'https://b.example/x'], unnamed), 'https://b.example/x')
  })

  t.test(`${platform}: a check that removes the header leaves the token`, async (t) => {
    const seen: Seen = { authInfo: undefined }
    const check = (_token: unknown, request: unknown) => {
      const { headers } = request as { headers: Headers & { authorization?: string } }
      if (typeof headers.delete === 'function') headers.delete('authorization')
      else delete headers.authorization
      return true
    }
    const port = await listen(t, create(mcpOptions(), { scopes: READ, check }, seen))
    await callTool(port, `Bearer ${token}`)
    t.equal((seen.authInfo as unknown as AuthInfo).token, token)
  })

  t.test(`${platform}: an optional token`, async (t) => {
    const seen: Seen = { authInfo: { token: '', clientId: '', scopes: [] } }
    const port = await listen(t, create(mcpOptions(), { scopes: READ, optional: true }, seen))
    const { content } = await callTool(port, 'Basic YTpi')
    t.strictSame(content, [{ type: 'text', text: 'undefined' }])
    t.equal(seen.authInfo, undefined)
    await t.rejects(callTool(port, 'Bearer abc'), { code: 401 })
  })
}

t.test('getAuth rejects what no guard created', async (t) => {
  const message =
    'cognito-m2m: getAuth: no guard of cognito-m2m/mcp created this AuthInfo. Pass `req.auth` or `extra.authInfo` of the tool, not a copy.'
  t.throws(() => getAuth(undefined), { message })
  t.throws(() => getAuth({ token, clientId: 'agent', scopes: [] }), { message })
})

t.test('Express: a rejected request keeps no token of an earlier guard', async (t) => {
  const app = express()
  const auth = cognitoAuth({ ...mcpOptions(), errors: 'next' })
  app.get(
    '/mcp',
    auth({ scopes: READ }),
    auth({ scopes: `${RESOURCE}/tools.admin` }),
    (_req, res) => {
      res.send('reached')
    },
  )
  const seen: unknown[] = []
  app.use(((error, req, res, _next) => {
    seen.push([error.code, (req as { auth?: unknown }).auth])
    res.end('failed')
  }) as express.ErrorRequestHandler)
  const port = await listen(t, app)
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    headers: withAuth(`Bearer ${token}`),
  })
  t.equal(response.status, 403)
  t.match(response.headers.get('www-authenticate'), 'insufficient_scope')
  t.strictSame(seen, [['ERR_SCOPE_INSUFFICIENT', null]])
})

t.test('Express: a read-only req.auth of other middleware fails the request', async (t) => {
  const app = express()
  app.use((req, _res, next) => {
    const values: unknown[] = []
    Object.defineProperty(req, 'auth', {
      get: () => values.at(-1),
      set: (value) => {
        values.push(value)
        if (value !== null && 'token' in value) throw new TypeError('read-only')
      },
    })
    next()
  })
  app.get('/mcp', cognitoAuth(mcpOptions())({ scopes: READ }), (_req, res) => {
    res.send('reached')
  })
  app.use(((error, _req, res, _next) => {
    res.status(500).send(String(error))
  }) as express.ErrorRequestHandler)
  const port = await listen(t, app)
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    headers: withAuth(`Bearer ${token}`),
  })
  t.equal(response.status, 500)
  t.equal(await response.text(), 'TypeError: read-only')
})

t.test('fetch: authenticate sets request.auth, and a rejected request keeps none', async (t) => {
  const auth = createFetchAuth(mcpOptions())
  const request = new Request('http://a.example/mcp', { headers: withAuth(`Bearer ${token}`) })
  const authInfo = await auth.guard({ scopes: READ }).authenticate(request)
  t.equal((request as { auth?: unknown }).auth, authInfo)
  t.equal(getAuth(authInfo).clientId, 'agent')
  const admin = auth.guard({ scopes: `${RESOURCE}/tools.admin` })
  await t.rejects(admin.authenticate(request), { code: 'ERR_SCOPE_INSUFFICIENT', statusCode: 403 })
  t.equal((request as { auth?: unknown }).auth, undefined)
  const handler = admin.protect((_request: Request, ..._rest: string[]) => new Response('reached'))
  t.equal((await handler(request, 'more')).status, 403)
  await t.rejects(admin.authenticate({ req: request } as never), {
    name: 'OptionError',
    option: 'request',
  })
  t.equal(auth.status().ready, true)
  auth.server.close()
})

t.test('a stream ends with its token', async (t) => {
  const app = express()
  const auth = cognitoAuth(mcpOptions())
  app.get('/mcp', auth({ scopes: READ }), (req, res) => {
    res.flushHeaders()
    const authInfo = (req as { auth?: unknown }).auth as AuthInfo
    auth.server.closeOnExpiry({ ...getAuth(authInfo), expiresAt: 0 }, res)
  })
  const port = await listen(t, app)
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    headers: withAuth(`Bearer ${token}`),
  })
  t.equal(response.status, 200)
  await t.rejects(response.text())
})
