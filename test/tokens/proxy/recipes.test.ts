/** The recipes for `authorize`, as examples and docs show them, over real sockets. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify from 'fastify'
import t from 'tap'
import { addressList, apiKey, mutualTls } from '../../../examples/token-proxy/authorize.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { createRequest, setUpProxy, startPool, startProxy } from '../../support/proxy.ts'

/** An authority of the test's own, made by openssl: Node makes no certificates. */
function authority() {
  const folder = mkdtempSync(join(tmpdir(), 'cognito-m2m-tls-'))
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const read = (file: string): Buffer => readFileSync(join(folder, file))
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=authority',
    '-days',
    '2',
  )
  writeFileSync(join(folder, 'san'), 'subjectAltName=IP:127.0.0.1')
  return {
    ca: read('ca.pem'),
    /** A key with a certificate: the authority's, or its own. */
    issue: (name: string, subject: string, isOurs = true) => {
      const request = ['-keyout', `${name}.key`, '-subj', subject]
      if (isOurs) {
        openssl('req', ...newKey, ...request, '-out', `${name}.csr`)
        const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san']
        openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, '-days', '2')
      } else openssl('req', '-x509', ...newKey, ...request, '-out', `${name}.pem`, '-days', '2')
      return { key: read(`${name}.key`), cert: read(`${name}.pem`) }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

t.test('mutual TLS: a certificate of the authority with a name on the list', async (t) => {
  const { ca, issue, remove } = authority()
  t.teardown(remove)
  const pool = await startPool(t)
  const app = fastify({
    https: { ...issue('server', '/CN=proxy'), ca, requestCert: true, rejectUnauthorized: false },
  })
  t.teardown(() => app.close())
  const authorize = mutualTls(['billing-service'])
  await app.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint, authorize })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const { method, path, headers, body } = createRequest({})
  const status = (client: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(
        { host: '127.0.0.1', port, method, path, headers, ca, agent: false, ...client },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      request.on('error', reject)
      request.end(body)
    })
  t.equal(await status(issue('good', '/CN=billing-service')), 200)
  t.equal(await status({}), 403, 'no certificate')
  t.equal(await status(issue('other', '/CN=other-service')), 403)
  t.equal(await status(issue('forged', '/CN=billing-service', false)), 403, 'its own authority')
  t.equal(await status(issue('two', '/CN=x/CN=billing-service')), 403, 'two names')
  t.equal(await status(issue('part', '/O=CN=billing-service/CN=x')), 403, 'the name elsewhere')
  t.equal(await status(issue('none', '/O=billing-service')), 403, 'no name')
})

t.test('mutual TLS admits no caller over plain HTTP', async (t) => {
  const { send } = await setUpProxy(t, { authorize: mutualTls(['billing-service']) })
  t.equal((await send()).status, 403)
})

t.test('API key: one of several, to the letter', async (t) => {
  const { send } = await setUpProxy(t, { authorize: apiKey(['old-key', 'new-key']) })
  for (const key of ['old-key', 'new-key']) {
    t.equal((await send({ headers: { 'x-api-key': key } })).status, 200, key)
  }
  for (const key of ['', 'new', 'new-key ', 'NEW-KEY', 'old-keynew-key'].map((it) => `${it}x`)) {
    t.equal((await send({ headers: { 'x-api-key': key } })).status, 403, key)
  }
  t.equal((await send({ headers: { 'x-api-key': ['old-key', 'new-key'] } })).status, 403)
  t.equal((await send()).status, 403)
})

t.test('address list: subnets and single addresses, of both families', async (t) => {
  for (const [subnets, status] of [
    [['127.0.0.0/8'], 200],
    [['127.0.0.1'], 200],
    [['10.0.0.0/8', '2001:db8::/32'], 403],
    [[], 403],
  ] as const) {
    const { send } = await setUpProxy(t, { authorize: addressList(subnets) })
    t.equal((await send()).status, status, subnets.join())
  }
})

t.test('address list: the address of the caller behind a trusted load balancer', async (t) => {
  const pool = await startPool(t)
  const authorize = addressList(['203.0.113.0/24', '2001:db8::/32', '::1'])
  for (const [trustProxy, forwarded, status] of [
    ['127.0.0.1', '203.0.113.7', 200],
    ['127.0.0.1', '2001:db8::7', 200],
    ['127.0.0.1', '198.51.100.7', 403],
    [false, '203.0.113.7', 403],
  ] as const) {
    const { send } = await startProxy(
      t,
      { tokenEndpoint: pool.tokenEndpoint, authorize },
      { trustProxy },
    )
    const answer = await send({ headers: { 'x-forwarded-for': forwarded } })
    t.equal(answer.status, status, forwarded)
  }
})
