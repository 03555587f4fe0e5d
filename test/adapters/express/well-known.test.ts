/** RFC 9728 over Express: one path, reading alone, open to everyone, wherever it is mounted. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { authFor, get, listen, versions } from '../../support/express.ts'
import { pool, right } from '../../support/fastify.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const resource = 'https://api.example.com/v1'
const document = {
  resource,
  authorization_servers: [
    pool.issuer,
    pool.issuer.replace('https://cognito-idp', 'https://issuer-cognito-idp'),
  ],
  scopes_supported: ['orders/read'],
  bearer_methods_supported: ['header'],
}

for (const [version, express] of Object.entries(versions)) {
  const build = () => {
    const auth = authFor({ resourceMetadata: { resource }, default: { scopes: 'orders/read' } })
    return { app: express(), auth }
  }

  t.test(`${version}: the document is public and answers GET and HEAD only`, async (t) => {
    const { app, auth } = build()
    app.use(auth.metadata())
    app.use(auth())
    const url = await listen(t, app)
    const { response, body } = await get(`${url}${WELL_KNOWN}/v1?x=${WELL_KNOWN}`)
    t.strictSame(body, document)
    t.equal(response.status, 200)
    t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    const head = await get(`${url}${WELL_KNOWN}/v1`, undefined, 'HEAD')
    t.strictSame([head.said, head.text], ['200', ''])
    t.equal(head.response.headers.get('content-length'), String(JSON.stringify(document).length))
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      t.equal(
        (await get(`${url}${WELL_KNOWN}/v1`, undefined, method)).said,
        '401 ERR_TOKEN_MISSING',
      )
    }
    const others = ['', '/', '/v1/', '/v1/x', '/V1', '/v2', '/v1%2f', '/%761', '//v1', '/v1;a']
    for (const path of others) {
      t.equal((await get(`${url}${WELL_KNOWN}${path}`)).said, '401 ERR_TOKEN_MISSING', path)
    }
    t.equal((await get(`${url}/api${WELL_KNOWN}/v1`)).said, '401 ERR_TOKEN_MISSING')
  })

  t.test(`${version}: below a mount point the whole path counts`, async (t) => {
    const { app, auth } = build()
    auth()
    app.use('/api', auth.metadata())
    app.use('/.well-known', auth.metadata())
    const url = await listen(t, app)
    t.strictSame((await get(`${url}${WELL_KNOWN}/v1`, right)).body, document)
    t.equal((await get(`${url}/api${WELL_KNOWN}/v1`)).said, '404')
  })

  t.test(`${version}: it stands still where it is not mounted`, async (t) => {
    const { app, auth } = build()
    app.use(auth())
    const url = await listen(t, app)
    t.equal((await get(`${url}${WELL_KNOWN}/v1`)).said, '401 ERR_TOKEN_MISSING')
    t.equal((await get(`${url}${WELL_KNOWN}/v1`, right)).said, '404')
  })
}

t.test('a server of Node itself is served too', async (t) => {
  const auth = authFor({ resourceMetadata: { resource, scopes: false } })
  const metadata = auth.metadata()
  const server = createServer((request, response) =>
    metadata(request, response, () => response.writeHead(404).end('{}')),
  ).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { scopes_supported: _, ...rest } = document
  t.strictSame((await get(`${url}${WELL_KNOWN}/v1`)).body, rest)
  t.equal((await get(`${url}/`)).said, '404')
})

t.test('a request without a path is handed on', async (t) => {
  const metadata = authFor({ resourceMetadata: { resource } }).metadata()
  let passed = 0
  metadata({ method: 'GET' } as never, {} as never, () => {
    passed += 1
  })
  t.equal(passed, 1)
})
