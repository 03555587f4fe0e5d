import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { LocalServer } from '../../src/testing/http/local-server.ts'
import { createTestUserPool, startUserPool } from '../../src/testing/index.ts'
import { ask, failure } from '../support/http.ts'

const clients = [{ clientId: 'billing', scopes: ['orders/read'] }]
const resourceServers = [{ identifier: 'orders', scopes: { read: 'Read orders' } }]

t.test('addresses, options and keys over HTTP', async (t) => {
  const now = () => Date.now()
  const pool = await startUserPool({ clients, now })
  t.teardown(() => pool.close())
  const origin = `http://127.0.0.1:${pool.port}`
  t.match(pool.userPoolId, /^xx-local-1_[A-Za-z0-9]{9}$/)
  t.equal(pool.issuer, `${origin}/${pool.userPoolId}`)
  t.equal(pool.jwksUri, `${pool.issuer}/.well-known/jwks.json`)
  t.equal(pool.tokenEndpoint, `${origin}/oauth2/token`)
  t.strictSame(pool.options(), {
    userPoolId: pool.userPoolId,
    clientId: ['billing'],
    issuer: pool.issuer,
    now,
  })
  t.equal(pool.jwksRequests, 0)
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask(pool.port, { method, path: new URL(pool.jwksUri).pathname })
    t.equal(answer.status, 200)
    t.match(answer.headers['content-type'], /^application\/json/)
    t.equal(answer.text, method === 'GET' ? JSON.stringify(pool.jwks()) : '')
  }
  t.equal(pool.jwksRequests, 2)
  const { headers } = await fetch(pool.jwksUri)
  t.equal(headers.get('keep-alive'), 'timeout=60', 'longer than a busy machine pauses')
  t.ok(Object.isFrozen(pool))
})

t.test(
  'a rotation is published at once, and no clock is passed on that was not given',
  async (t) => {
    const pool = await startUserPool({ clients })
    t.teardown(() => pool.close())
    t.notOk('now' in pool.options())
    const verify = (token: string) =>
      jwtVerify(token, createRemoteJWKSet(new URL(pool.jwksUri)), { issuer: pool.issuer })
    const before = pool.accessToken()
    await verify(before)
    pool.rotateKeys({ keepOld: true })
    await verify(before)
    await verify(pool.accessToken())
    pool.rotateKeys()
    await t.rejects(verify(before), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
    await verify(pool.accessToken())
    await verify(pool.idToken())
    await verify(pool.userAccessToken())
  },
)

t.test('discovery has every field of Cognito, on this origin', async (t) => {
  const pool = await startUserPool({ clients, resourceServers })
  t.teardown(() => pool.close())
  const path = `/${pool.userPoolId}/.well-known/openid-configuration`
  const { status, headers, json } = await ask(pool.port, { path })
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/)
  const origin = `http://127.0.0.1:${pool.port}`
  t.strictSame(json, {
    authorization_endpoint: `${origin}/oauth2/authorize`,
    end_session_endpoint: `${origin}/logout`,
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: pool.issuer,
    jwks_uri: pool.jwksUri,
    response_types_supported: ['code', 'token'],
    revocation_endpoint: `${origin}/oauth2/revoke`,
    scopes_supported: ['openid', 'email', 'phone', 'profile', 'orders/read'],
    subject_types_supported: ['public'],
    token_endpoint: pool.tokenEndpoint,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    userinfo_endpoint: `${origin}/oauth2/userInfo`,
  })
})

t.test('only loopback names with the right port reach anything', async (t) => {
  const pool = await startUserPool({ clients, control: true })
  t.teardown(() => pool.close())
  const jwks = new URL(pool.jwksUri).pathname
  for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
    const answer = await ask(pool.port, { path: jwks, headers: { host: `${name}:${pool.port}` } })
    t.equal(answer.status, 200, name)
  }
  const foreign = [
    'rebound.example',
    `rebound.example:${pool.port}`,
    `localhost.rebound.example:${pool.port}`,
    `127.0.0.2:${pool.port}`,
    `127.0.0.1:${pool.port === 65_535 ? 1024 : pool.port + 1}`,
    '127.0.0.1',
  ]
  for (const host of foreign) {
    for (const path of [jwks, '/oauth2/token', '/_local/rotation', '/nowhere']) {
      const answer = await ask(pool.port, { path, headers: { host } })
      t.equal(answer.status, 403, `${host} ${path}`)
      t.type(answer.json['error'], 'string')
    }
  }
  t.equal(pool.jwksRequests, 3)
})

t.test('other paths are 404, other methods 405', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  const jwks = new URL(pool.jwksUri).pathname
  const other = createTestUserPool().userPoolId
  for (const path of [
    '/x',
    `${jwks}/`,
    `/${other}/.well-known/jwks.json`,
    '/_local/rotation',
    '//x',
    '/oauth2/token/',
  ]) {
    const answer = await ask(pool.port, { method: 'POST', path, body: 'x' })
    t.equal(answer.status, 404, path)
    t.type(answer.json['error'], 'string')
  }
  for (const path of [jwks, jwks.replace('jwks.json', 'openid-configuration')]) {
    const answer = await ask(pool.port, { method: 'POST', path })
    t.equal(answer.status, 405)
    t.equal(answer.headers.allow, 'GET, HEAD')
  }
  t.equal((await ask(pool.port, { path: `${jwks}?a=b` })).status, 200)
})

/** Bytes on a bare socket; what came back once the server ended it. */
async function talk(port: number, bytes: string, end = false): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(bytes) : socket.write(bytes)))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
}

t.test('malformed and broken-off requests do no harm', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  const host = `Host: 127.0.0.1:${pool.port}\r\n`
  t.match(await talk(pool.port, 'nonsense\r\n\r\n'), /^HTTP\/1.1 400/)
  t.match(await talk(pool.port, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 403/)
  t.match(await talk(pool.port, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1.1 400/)
  const unnamed = 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'
  t.match(await talk(pool.port, unnamed), /^HTTP\/1.1 403/)
  t.match(await talk(pool.port, `CONNECT x:1 HTTP/1.1\r\n${host}\r\n`), /^$/)
  const half = `POST /oauth2/token HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\ngrant_type=`
  t.match(await talk(pool.port, half, true), /^(HTTP\/1.1 400|$)/)
  t.equal((await ask(pool.port, { path: new URL(pool.jwksUri).pathname })).status, 200)
})

t.test('close ends it, open connections too, once or twice', async (t) => {
  const pool = await startUserPool({ clients })
  await pool.setJwksFault('hang')
  const path = new URL(pool.jwksUri).pathname
  const hanging = failure(ask(pool.port, { path }))
  const idle = connect(pool.port, '127.0.0.1')
  idle.on('error', () => {})
  const ended = new Promise((resolve) => idle.once('close', resolve))
  // A response on a second connection proves that the server has read the first request.
  await new Promise((resolve) => idle.once('connect', resolve))
  await ask(pool.port, { path: '/' })
  await Promise.all([pool.close(), pool.close()])
  t.equal(await hanging, 'ECONNRESET')
  await ended
  t.equal(await failure(ask(pool.port, { path })), 'ECONNREFUSED')
  await pool.close()
  await pool.setJwksFault(null)
  t.equal(await failure(ask(pool.port, { path })), 'ECONNREFUSED', 'nothing opens it again')
})

t.test('disposing of it closes it', async (t) => {
  const pool = await startUserPool({ clients })
  await pool[Symbol.asyncDispose]()
  t.equal(await failure(ask(pool.port)), 'ECONNREFUSED')
})

t.test('a port of its own, and one that is taken', async (t) => {
  const pool = await startUserPool({ clients })
  const { port } = pool
  await t.rejects(startUserPool({ clients, port }), {
    code: 'ERR_OPTION_INVALID',
    option: 'port',
    message: `cognito-m2m: port: expected a free port, got ${port}, which is in use. Choose another port, or 0 for any.`,
  })
  await pool.close()
  const again = await startUserPool({ clients, port })
  t.equal(again.port, port)
  await again.close()
})

t.test('a port that another server has for a moment is taken again', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  await pool.setJwksFault('refuse')
  const other = new LocalServer(pool.port, '127.0.0.1')
  await other.listen()
  const recovered = pool.setJwksFault(null)
  // The first attempt fails within these turns.
  for (let turn = 0; turn < 20; turn += 1) await setImmediate()
  await other.stop()
  await recovered
  const { status } = await ask(pool.port, { path: new URL(pool.jwksUri).pathname })
  t.equal(status, 200)
})

t.test('a port that may not be used is named with the reason', async (t) => {
  // The system decides which ports it withholds, so the refusal itself is stood in for.
  const server = new LocalServer(0, '127.0.0.1')
  const { listen } = (await import('node:net')).Server.prototype
  const { Server } = await import('node:net')
  Server.prototype.listen = function refuse() {
    process.nextTick(() => this.emit('error', Object.assign(new Error('no'), { code: 'EACCES' })))
    return this
  }
  t.teardown(() => {
    Server.prototype.listen = listen
  })
  await t.rejects(server.listen(), {
    code: 'ERR_OPTION_INVALID',
    option: 'port',
    message: /EACCES/,
  })
})

t.test('listening twice is listening once, stopping twice stopping once', async (t) => {
  const server = new LocalServer(0, '127.0.0.1')
  await server.listen()
  const { port } = server
  t.not(port, 0)
  await server.listen()
  t.equal(server.port, port)
  await server.stop()
  await server.stop()
  t.equal(await failure(ask(port)), 'ECONNREFUSED')
})

t.test("it never wears a real pool's id", async (t) => {
  await t.rejects(startUserPool({ userPoolId: 'eu-west-1_AbCdEfGhI' }), {
    code: 'ERR_OPTION_INVALID',
    option: 'userPoolId',
    message: /expected an id that begins with xx-local-1_, got "eu-west-1_AbCdEfGhI"\. /,
  })
  const pool = await startUserPool({ userPoolId: 'xx-local-1_Mine' })
  t.equal(pool.userPoolId, 'xx-local-1_Mine')
  await pool.close()
})

for (const port of [-1, 65_536, 1.5, Number.NaN, '8080']) {
  t.test(`port ${JSON.stringify(port)} is refused`, async (t) => {
    const options = { port } as { port: number }
    await t.rejects(startUserPool(options), { code: 'ERR_OPTION_INVALID', option: 'port' })
  })
}

t.test('control that is no boolean is refused', async (t) => {
  await t.rejects(startUserPool({ control: 'yes' } as unknown as { control: boolean }), {
    code: 'ERR_OPTION_INVALID',
    option: 'control',
  })
})
