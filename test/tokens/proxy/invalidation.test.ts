/** Tokens that end before their time: dropped by the owner, or with the secret they were issued for. */
import t, { type Test } from 'tap'
import { memoryStore } from '../../../src/tokens/proxy/index.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import {
  CLIENT,
  encryptionKeys,
  issue,
  OTHER_SECRET,
  proxyOf,
  READ,
  reply,
  SECRET,
  sharedStore,
  stage,
  until,
  upstreamOf,
  WRITE,
} from '../../support/proxy.ts'

/** An upstream that takes the secrets that are on its list, and two proxies over one store. */
async function shared(t: Test) {
  const secrets = new Set([SECRET, OTHER_SECRET])
  const { asked, tokenEndpoint } = await upstreamOf(t, (response, { body, headers }, count) => {
    const [, credentials = ''] = headers.authorization?.split(' ') ?? []
    const secret =
      new URLSearchParams(body).get('client_secret') ??
      Buffer.from(credentials, 'base64').toString().slice(`${CLIENT}:`.length)
    if (secrets.has(secret)) reply(response, 200, issue(count))
    else reply(response, 400, { error: 'invalid_client' })
  })
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = memoryStore({ now, monotonicNow })
  const first = await stage(t, { tokenEndpoint, store }, clocks)
  const second = await proxyOf(t, { tokenEndpoint, store, now, monotonicNow })
  return { asked, secrets, first, second }
}

t.test(
  'invalidate drops every token of a client and no other’s, for all who share the store',
  async (t) => {
    const { first, second, asked } = await shared(t)
    await first.ask()
    await first.ask({ scope: READ })
    await first.ask({ clientId: 'shipping' })
    t.equal((await second.ask()).json['access_token'], 'token-1')
    await first.app.tokenProxy.invalidate({ clientId: CLIENT })
    t.equal((await second.ask()).json['access_token'], 'token-4')
    t.equal((await first.ask()).json['access_token'], 'token-4')
    t.equal((await first.ask({ scope: READ })).json['access_token'], 'token-5')
    t.equal((await second.ask({ clientId: 'shipping' })).json['access_token'], 'token-3')
    t.equal(asked.length, 5)
  },
)

t.test(
  'invalidate reaches a flight under way: what it brings is nobody’s afterwards',
  async (t) => {
    const { ask, app, wire } = await stage(t)
    let open = (): void => {}
    wire.gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const before = ask()
    await until(() => wire.count === 1)
    await app.tokenProxy.invalidate({ clientId: CLIENT })
    const after = ask()
    open()
    const [old, fresh] = await Promise.all([before, after])
    t.equal(old.status, 200)
    t.equal(fresh.status, 200)
    t.not(fresh.json['access_token'], old.json['access_token'])
    t.equal((await ask()).json['access_token'], fresh.json['access_token'])
    t.equal(wire.count, 2)
  },
)

t.test('invalidate takes one client id', async (t) => {
  const { app } = await stage(t)
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
  const { first, second, secrets, asked } = await shared(t)
  await first.ask({ scope: READ })
  await second.ask({ scope: WRITE })
  await first.ask({ method: 'basic' })
  await first.ask({ secret: OTHER_SECRET })
  t.equal(asked.length, 4)
  secrets.delete(SECRET)
  t.equal((await second.ask({ scope: READ })).status, 200, 'believed until somebody asks')
  t.equal((await second.ask({ scope: 'a/b' })).status, 400)
  for (const options of [{ scope: READ }, { scope: WRITE }, { method: 'basic' as const }]) {
    for (const { ask } of [first, second]) {
      const answer = await ask(options)
      t.equal(answer.status, 400)
      t.same(answer.json, { error: 'invalid_client' })
    }
  }
  const kept = await second.ask({ secret: OTHER_SECRET })
  t.equal(kept.json['access_token'], 'token-4', 'another secret of the client keeps its own')
})

t.test('invalid_client of a renewal drops them too', async (t) => {
  const { first, secrets } = await shared(t)
  const { ask, app, clocks } = first
  await ask()
  await ask({ scope: READ })
  secrets.delete(SECRET)
  clocks.advance(2700 * SECOND)
  t.equal((await ask()).status, 200, 'the caller who set it off is served')
  await until(() => app.tokenProxy.status().inFlight === 0)
  t.equal((await ask()).status, 400)
  t.equal((await ask({ scope: READ })).status, 400)
})

t.test('a wrong secret drops nothing', async (t) => {
  const { first, asked } = await shared(t)
  await first.ask()
  for (const secret of ['x', `${SECRET} `, SECRET.slice(1)]) {
    t.equal((await first.ask({ secret })).status, 400)
  }
  t.equal((await first.ask()).json['access_token'], 'token-1')
  t.equal(asked.length, 4)
})

t.test('another refusal of a renewal fails no caller while the token is valid', async (t) => {
  const upstream = { refuses: false }
  const { tokenEndpoint } = await upstreamOf(t, (response, _asked, count) => {
    if (upstream.refuses) reply(response, 400, { error: 'invalid_scope' })
    else reply(response, 200, issue(count))
  })
  const { ask, app, clocks } = await stage(t, { tokenEndpoint })
  await ask()
  upstream.refuses = true
  clocks.advance(2700 * SECOND)
  for (let time = 0; time < 3; time += 1) {
    t.equal((await ask()).json['access_token'], 'token-1')
    await until(() => app.tokenProxy.status().inFlight === 0)
  }
  clocks.advance(894 * SECOND)
  t.equal((await ask()).json['access_token'], 'token-1', '6 s before its expiry too')
  clocks.advance(30 * SECOND)
  const late = await ask()
  t.equal(late.status, 400, 'without a cached token Cognito decides')
  t.same(late.json, { error: 'invalid_scope' })
  upstream.refuses = false
  clocks.advance(10 * SECOND)
  t.equal((await ask()).status, 200)
})

t.test(
  'a verified client stays verified in a new process with the same shared store',
  async (t) => {
    const { asked, tokenEndpoint } = await upstreamOf(t, (response, _asked, count) =>
      reply(response, 200, issue(count)),
    )
    const clocks = new Clocks()
    const { now, monotonicNow } = clocks
    const upstream = { perSecond: 2, unprovenPerSecond: 1 }
    const options = { tokenEndpoint, store: sharedStore(clocks), encryptionKeys, upstream }
    const first = await stage(t, options, clocks)
    await first.ask()
    const second = await proxyOf(t, { ...options, now, monotonicNow })
    t.equal((await second.ask({ clientId: 'guess' })).status, 200, 'the share of guesses is spent')
    t.equal((await second.ask({ clientId: 'other' })).status, 503)
    t.equal((await second.ask({ scope: READ })).status, 200)
    t.equal(asked.length, 3)
  },
)

t.test(
  'two processes that get tokens of one credential at the same time lose neither',
  async (t) => {
    const { first, second, secrets } = await shared(t)
    const scopes = Array.from({ length: 6 }, (_, index) => `s/${index}`)
    await Promise.all(
      scopes.flatMap((scope, index) => (index % 2 === 0 ? first : second).ask({ scope })),
    )
    secrets.delete(SECRET)
    t.equal((await first.ask({ scope: 'a/b' })).status, 400)
    for (const scope of scopes) t.equal((await second.ask({ scope })).status, 400, scope)
  },
)
