/** Tokens that end before their time: dropped by the owner, or with the secret they were issued for. */
import t, { type Test } from 'tap'
import { memoryStore } from '../../../src/tokens/proxy/index.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import {
  CLIENT,
  encryptionKeys,
  issue,
  OTHER_SECRET,
  READ,
  reply,
  SECRET,
  setUpProxy,
  sharedStore,
  startProxy,
  startUpstream,
  until,
  WRITE,
} from '../../support/proxy.ts'

/** An upstream that takes the secrets that are on its list, and two proxies over one store. */
async function startTwoProxies(t: Test) {
  const secrets = new Set([SECRET, OTHER_SECRET])
  const { requests, tokenEndpoint } = await startUpstream(
    t,
    (response, { body, headers }, count) => {
      const [, credentials = ''] = headers.authorization?.split(' ') ?? []
      const secret =
        new URLSearchParams(body).get('client_secret') ??
        Buffer.from(credentials, 'base64').toString().slice(`${CLIENT}:`.length)
      if (secrets.has(secret)) reply(response, 200, issue(count))
      else reply(response, 400, { error: 'invalid_client' })
    },
  )
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = memoryStore({ now, monotonicNow })
  const first = await setUpProxy(t, { tokenEndpoint, store }, clocks)
  const second = await startProxy(t, { tokenEndpoint, store, now, monotonicNow })
  return { requests, secrets, first, second }
}

t.test(
  'invalidate drops every token of a client and no other’s, for all who share the store',
  async (t) => {
    const { first, second, requests } = await startTwoProxies(t)
    await first.send()
    await first.send({ scope: READ })
    await first.send({ clientId: 'shipping' })
    t.equal((await second.send()).json['access_token'], 'token-1')
    await first.app.tokenProxy.invalidate({ clientId: CLIENT })
    t.equal((await second.send()).json['access_token'], 'token-4')
    t.equal((await first.send()).json['access_token'], 'token-4')
    t.equal((await first.send({ scope: READ })).json['access_token'], 'token-5')
    t.equal((await second.send({ clientId: 'shipping' })).json['access_token'], 'token-3')
    t.equal(requests.length, 5)
  },
)

t.test(
  'invalidate reaches a flight under way: what it brings is nobody’s afterwards',
  async (t) => {
    const { send, app, wire } = await setUpProxy(t)
    let open = (): void => {}
    wire.gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const before = send()
    await until(() => wire.count === 1)
    await app.tokenProxy.invalidate({ clientId: CLIENT })
    const after = send()
    open()
    const [old, fresh] = await Promise.all([before, after])
    t.equal(old.status, 200)
    t.equal(fresh.status, 200)
    t.not(fresh.json['access_token'], old.json['access_token'])
    t.equal((await send()).json['access_token'], fresh.json['access_token'])
    t.equal(wire.count, 2)
  },
)

t.test('invalidate takes one client id', async (t) => {
  const { app } = await setUpProxy(t)
  for (const which of [
    {},
    { clientId: '' },
    { clientId: [CLIENT] },
    { clientId: CLIENT, x: 1 },
    CLIENT,
  ]) {
    await t.rejects(app.tokenProxy.invalidate(which as never), { code: 'ERR_OPTION_INVALID' })
  }
})

t.test('invalid_client in any process drops all entries of the credential', async (t) => {
  const { first, second, secrets, requests } = await startTwoProxies(t)
  await first.send({ scope: READ })
  await second.send({ scope: WRITE })
  await first.send({ method: 'basic' })
  await first.send({ secret: OTHER_SECRET })
  t.equal(requests.length, 4)
  secrets.delete(SECRET)
  t.equal((await second.send({ scope: READ })).status, 200, 'believed until somebody asks')
  t.equal((await second.send({ scope: 'a/b' })).status, 400)
  for (const options of [{ scope: READ }, { scope: WRITE }, { method: 'basic' as const }]) {
    for (const { send } of [first, second]) {
      const answer = await send(options)
      t.equal(answer.status, 400)
      t.same(answer.json, { error: 'invalid_client' })
    }
  }
  const answer = await second.send({ secret: OTHER_SECRET })
  t.equal(answer.json['access_token'], 'token-4', 'another secret of the client keeps its own')
})

t.test('invalid_client of a renewal drops them too', async (t) => {
  const { first, secrets } = await startTwoProxies(t)
  const { send, app, clocks } = first
  await send()
  await send({ scope: READ })
  secrets.delete(SECRET)
  clocks.advance(2700 * SECOND)
  t.equal((await send()).status, 200, 'the caller who set it off is served')
  await until(() => app.tokenProxy.status().inFlight === 0)
  t.equal((await send()).status, 400)
  t.equal((await send({ scope: READ })).status, 400)
})

t.test('a wrong secret drops nothing', async (t) => {
  const { first, requests } = await startTwoProxies(t)
  await first.send()
  for (const secret of ['x', `${SECRET} `, SECRET.slice(1)]) {
    t.equal((await first.send({ secret })).status, 400)
  }
  t.equal((await first.send()).json['access_token'], 'token-1')
  t.equal(requests.length, 4)
})

t.test('another refusal of a renewal fails no caller while the token is valid', async (t) => {
  const upstream = { refuses: false }
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) => {
    if (upstream.refuses) reply(response, 400, { error: 'invalid_scope' })
    else reply(response, 200, issue(count))
  })
  const { send, app, clocks } = await setUpProxy(t, { tokenEndpoint })
  await send()
  upstream.refuses = true
  clocks.advance(2700 * SECOND)
  for (let time = 0; time < 3; time += 1) {
    t.equal((await send()).json['access_token'], 'token-1')
    await until(() => app.tokenProxy.status().inFlight === 0)
  }
  clocks.advance(894 * SECOND)
  t.equal((await send()).json['access_token'], 'token-1', '6 s before its expiry too')
  clocks.advance(30 * SECOND)
  const late = await send()
  t.equal(late.status, 400, 'without a cached token Cognito decides')
  t.same(late.json, { error: 'invalid_scope' })
  upstream.refuses = false
  clocks.advance(10 * SECOND)
  t.equal((await send()).status, 200)
})

t.test(
  'a verified client stays verified in a new process with the same shared store',
  async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      reply(response, 200, issue(count)),
    )
    const clocks = new Clocks()
    const { now, monotonicNow } = clocks
    const upstream = { perSecond: 2, unprovenPerSecond: 1 }
    const options = { tokenEndpoint, store: sharedStore(clocks), encryptionKeys, upstream }
    const first = await setUpProxy(t, options, clocks)
    await first.send()
    const second = await startProxy(t, { ...options, now, monotonicNow })
    t.equal((await second.send({ clientId: 'guess' })).status, 200, 'the share of guesses is spent')
    t.equal((await second.send({ clientId: 'other' })).status, 503)
    t.equal((await second.send({ scope: READ })).status, 200)
    t.equal(requests.length, 3)
  },
)

t.test(
  'two processes that get tokens of one credential at the same time lose neither',
  async (t) => {
    const { first, second, secrets } = await startTwoProxies(t)
    const scopes = Array.from({ length: 6 }, (_, index) => `s/${index}`)
    await Promise.all(
      scopes.flatMap((scope, index) => (index % 2 === 0 ? first : second).send({ scope })),
    )
    secrets.delete(SECRET)
    t.equal((await first.send({ scope: 'a/b' })).status, 400)
    for (const scope of scopes) t.equal((await second.send({ scope })).status, 400, scope)
  },
)
