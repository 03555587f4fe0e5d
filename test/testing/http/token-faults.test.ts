/** Faults of the token APIs of a local pool, and its replica. */
import t from 'tap'
import { createResourceServer } from '../../../src/index.ts'
import {
  type LocalRegion,
  type LocalUserPool,
  startUserPool,
  type TokenFault,
} from '../../../src/testing/index.ts'
import { ask, decode, FORM, failure } from '../../support/http.ts'

const clients = [{ clientId: 'billing', clientSecrets: ['s3cret'], scopes: ['orders/read'] }]

const requestToken = (region: LocalRegion) =>
  ask(region.port, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': FORM },
    body: 'grant_type=client_credentials&client_id=billing&client_secret=s3cret',
  })
const getClientToken = (region: LocalRegion) =>
  ask(region.port, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
    },
    body: JSON.stringify({ ClientId: 'billing', Secret: 's3cret' }),
  })

t.test('a Region that answers 500 or is inactive', async (t) => {
  const pool = await startUserPool({ clients, cors: true })
  t.teardown(() => pool.close())
  const expected: readonly (readonly [TokenFault, string, number])[] = [
    ['500', 'InternalErrorException', 500],
    ['inactive', 'OperationNotEnabledException', 400],
  ]
  for (const [fault, name, status] of expected) {
    await pool.setTokenFault(fault)
    const answer = await requestToken(pool)
    t.equal(answer.status, status)
    t.strictSame(answer.json, { error: name })
    const apiAnswer = await getClientToken(pool)
    t.equal(apiAnswer.status, status)
    t.equal(apiAnswer.headers['x-amzn-errortype'], `${name}:`)
    t.match(apiAnswer.json, { __type: name })
    const { status: keySetStatus } = await ask(pool.port, { path: new URL(pool.jwksUri).pathname })
    t.equal(keySetStatus, 200, 'the key set is served')
  }
  t.equal(pool.events().length, 0)
  await pool.setTokenFault(null)
  t.equal((await requestToken(pool)).status, 200)
  t.equal((await getClientToken(pool)).status, 200)
})

t.test('a Region that hangs answers nothing until the fault ends', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  await pool.setTokenFault('hang')
  for (const request of [requestToken, getClientToken]) {
    let code: string | undefined
    void failure(request(pool)).then((it) => {
      code = it
    })
    t.equal((await ask(pool.port, { path: '/' })).status, 404)
    t.equal(code, undefined)
    while (code === undefined) {
      await pool.setTokenFault('hang')
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.equal(code, 'ECONNRESET')
  }
  await pool.setTokenFault(null)
  t.equal((await requestToken(pool)).status, 200)
})

t.test(
  'a Region that refuses connections has no endpoint, and comes back on its port',
  async (t) => {
    const pool = await startUserPool({ clients, replica: true })
    t.teardown(() => pool.close())
    await pool.setTokenFault('refuse')
    t.equal(await failure(requestToken(pool)), 'ECONNREFUSED')
    t.equal(await failure(ask(pool.port, { path: new URL(pool.jwksUri).pathname })), 'ECONNREFUSED')
    t.equal((await requestToken(pool.replica)).status, 200)
    await pool.setJwksFault('500')
    t.equal(await failure(requestToken(pool)), 'ECONNREFUSED', 'the other fault lasts')
    await pool.setTokenFault(null)
    t.equal((await requestToken(pool)).status, 200)
  },
)

t.test('another fault is rejected', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  await t.rejects(pool.setTokenFault('503' as TokenFault), {
    name: 'OptionError',
    option: 'fault',
    message: /expected null or one of refuse, hang, 500, inactive, got "503"\./,
  })
})

t.test('a pool has no replica unless it is asked for', async (t) => {
  const pool: LocalUserPool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  t.equal(pool.replica, null)
  t.equal(pool.options().issuer, pool.issuer)
  await t.rejects(startUserPool({ replica: 1 } as object), {
    option: 'replica',
    message: /expected a boolean, got 1\./,
  })
})

t.test('a replica has the clients and keys of the pool, and an issuer of its own', async (t) => {
  const pool = await startUserPool({ clients, replica: true })
  t.teardown(() => pool.close())
  const { replica } = pool
  t.not(replica.port, pool.port)
  t.equal(replica.issuer, `http://127.0.0.1:${replica.port}/${pool.userPoolId}`)
  t.equal(replica.tokenEndpoint, `http://127.0.0.1:${replica.port}/oauth2/token`)
  t.strictSame(replica.userPoolsApi, { endpoint: `http://127.0.0.1:${replica.port}` })
  t.strictSame(replica.status(), {
    instance: pool.status().instance + 1,
    userPoolId: pool.userPoolId,
  })
  t.ok(Object.isFrozen(replica))
  t.strictSame(pool.options().issuer, [pool.issuer, replica.issuer])

  const server = createResourceServer(pool.options())
  t.teardown(() => server.close())
  const guard = server.guard({ scopes: 'orders/read' })
  const keySet = () => ask(replica.port, { path: new URL(replica.jwksUri).pathname })
  for (const rotate of [false, true]) {
    if (rotate) pool.rotateKeys()
    t.strictSame((await keySet()).json, pool.jwks())
    const token = String((await requestToken(replica)).json['access_token'])
    t.match(decode(token, 1), { iss: replica.issuer, client_id: 'billing' })
    if (rotate) continue
    t.match(await guard(`Bearer ${token}`), { issuer: replica.issuer, userPoolId: pool.userPoolId })
    const { json } = await requestToken(pool)
    t.match(await guard(`Bearer ${String(json['access_token'])}`), { issuer: pool.issuer })
  }
  t.equal(pool.events().length, 1)
  t.equal(replica.events().length, 2)
  await replica.setTokenFault('inactive')
  t.equal((await requestToken(replica)).status, 400)
  t.equal((await requestToken(pool)).status, 200)
})

t.test('an API accepts tokens of the replica while the primary Region is down', async (t) => {
  const pool = await startUserPool({ clients, replica: true })
  t.teardown(() => pool.close())
  await pool.setTokenFault('refuse')
  const server = createResourceServer(pool.options())
  t.teardown(() => server.close())
  const token = String((await requestToken(pool.replica)).json['access_token'])
  t.match(await server.guard({ scopes: 'orders/read' })(`Bearer ${token}`), {
    issuer: pool.replica.issuer,
  })
})
