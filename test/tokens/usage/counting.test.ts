/** Counts by subject: authenticated clients have rows, all other callers share one. */
import { channel } from 'node:diagnostics_channel'
import t from 'tap'
import { createResourceServer } from '../../../src/index.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import {
  createUsage,
  memoryUsageStore,
  type UsageRow,
  type UsageSource,
} from '../../../src/tokens/usage/index.ts'
import { ask, FORM } from '../../support/http.ts'
import { begin, DAY, HOUR, NOON, POOL, PRICE, source } from '../../support/usage.ts'

const NOTHING = { issued: 0, cached: 0, refused: 0, unavailable: 0 }
const NO_REQUESTS = { accepted: 0, refused: 0, byCode: {} }
const UNUSED = {
  userPoolId: null,
  clientId: null,
  tokens: NOTHING,
  requests: NO_REQUESTS,
  firstUsed: null,
  lastUsed: null,
  unused: false,
}
const UNVERIFIED: UsageRow = { kind: 'unverified', ...UNUSED }

t.test('before the first count there is one row, and `since` is null', async (t) => {
  const { usage } = begin(t)
  t.strictSame(await usage.report(), { at: NOON, since: null, rows: [UNVERIFIED] })
  t.strictSame(usage.status(), { sources: 1, pending: 0, degraded: false })
})

t.test('tokens, requests and times of an authenticated client', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'a')
  clock.seconds += 10
  source.token('cached', 'a')
  source.token('cached', 'a')
  source.token('refused', 'a')
  source.token('unavailable', 'a')
  clock.seconds += 10
  source.decision(null, 'a')
  source.decision('ERR_SCOPE_INSUFFICIENT', 'a')
  source.decision('ERR_SCOPE_INSUFFICIENT', 'a')
  source.decision('ERR_CLIENT_NOT_ALLOWED', 'a')
  t.equal(usage.status().pending, 1)
  clock.seconds += 10
  t.strictSame(await usage.report(), {
    at: NOON + 30,
    since: NOON,
    rows: [
      {
        kind: 'client',
        userPoolId: POOL,
        clientId: 'a',
        tokens: { issued: 1, cached: 2, refused: 1, unavailable: 1 },
        requests: {
          accepted: 1,
          refused: 3,
          byCode: { ERR_CLIENT_NOT_ALLOWED: 1, ERR_SCOPE_INSUFFICIENT: 2 },
        },
        firstUsed: NOON,
        lastUsed: NOON + 20,
        unused: false,
      },
      UNVERIFIED,
    ],
  })
  t.equal(usage.status().pending, 0)
})

t.test('a caller that is not authenticated is unverified, whatever it claims', async (t) => {
  const { usage, source } = begin(t)
  source.token('refused', null)
  source.token('unavailable', null)
  source.token('refused', 'claims', null)
  source.decision('ERR_TOKEN_SIGNATURE', null)
  source.decision('ERR_TOKEN_MISSING', null, null)
  source.decision(null, null, null)
  source.decision('ERR_KEY_UNKNOWN', 'claims', null)
  source.token('refused', 'x'.repeat(257))
  source.token('refused', '')
  const { rows } = await usage.report()
  t.match(rows, [
    {
      kind: 'unverified',
      userPoolId: null,
      clientId: null,
      tokens: { ...NOTHING, refused: 4, unavailable: 1 },
      requests: {
        accepted: 1,
        refused: 3,
        byCode: { ERR_TOKEN_SIGNATURE: 1, ERR_TOKEN_MISSING: 1, ERR_KEY_UNKNOWN: 1 },
      },
    },
  ])
  t.equal(rows.length, 1)
})

t.test('one client id in two pools has two rows; rows are ordered, shared ones last', async (t) => {
  const { usage, source } = begin(t, { store: memoryUsageStore({ maxClients: 4 }) })
  const clients = [
    ...[
      ['pool-b', 'x'],
      ['pool-a', 'y'],
      ['pool-a', 'x'],
      ['pool-a', 'Z'],
    ],
    ...[
      ['pool-c', 'one-more'],
      ['pool-c', 'another'],
    ],
  ] as const
  for (const [pool, client] of clients) source.token('issued', client, pool)
  const { rows } = await usage.report()
  t.strictSame(
    rows.map(({ kind, userPoolId, clientId, tokens }) => [
      kind,
      userPoolId,
      clientId,
      tokens.issued,
    ]),
    [
      ...[
        ['client', 'pool-a', 'Z', 1],
        ['client', 'pool-a', 'x', 1],
      ],
      ...[
        ['client', 'pool-a', 'y', 1],
        ['client', 'pool-b', 'x', 1],
      ],
      ...[
        ['other', null, null, 2],
        ['unverified', null, null, 0],
      ],
    ],
  )
})

t.test('unauthenticated callers add no rows and no memory', async (t) => {
  const { usage, source } = begin(t, { store: memoryUsageStore({ maxClients: 2 }) })
  source.token('issued', 'a')
  for (let index = 0; index < 20_000; index += 1) source.token('refused', `x${index}`, null)
  t.equal(usage.status().pending, 2)
  source.token('issued', 'b')
  const { rows } = await usage.report()
  t.strictSame(
    rows.map(({ clientId }) => clientId),
    ['a', 'b', null],
  )
  t.equal(rows.at(-1)?.tokens.refused, 20_000)
})

t.test('a client is flagged as unused after exactly 90 days', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'old')
  source.token('refused', null)
  clock.seconds += DAY
  source.decision('ERR_SCOPE_INSUFFICIENT', 'new')
  const flags = async () =>
    (await usage.report()).rows.map(({ clientId, unused }) => [clientId, unused])
  clock.seconds = NOON + 90 * DAY - 1
  t.strictSame(await flags(), [
    ['new', false],
    ['old', false],
    [null, false],
  ])
  clock.seconds += 1
  t.strictSame(await flags(), [
    ['new', false],
    ['old', true],
    [null, false],
  ])
  source.token('cached', 'old')
  t.strictSame(await flags(), [
    ['new', false],
    ['old', false],
    [null, false],
  ])
})

t.test('codes and outcomes are a closed set for every publisher', async (t) => {
  const { usage, source } = begin(t)
  const publish = (name: string, event: unknown) => channel(`cognito-m2m:${name}`).publish(event)
  const { instance } = source
  for (let index = 0; index < 100; index += 1) {
    publish('decision', { instance, userPoolId: POOL, clientId: 'a', code: `ERR_${index}` })
    publish('token', { instance, userPoolId: POOL, clientId: 'a', outcome: `o${index}` })
  }
  publish('decision', { instance, userPoolId: POOL, clientId: 'a', code: '__proto__' })
  publish('decision', { instance, userPoolId: POOL, clientId: 'a', code: 'ERR_INTERNAL' })
  const [row] = (await usage.report()).rows
  t.strictSame(row?.requests, { accepted: 0, refused: 102, byCode: { ERR_INTERNAL: 102 } })
  t.strictSame(row?.tokens, NOTHING)
})

t.test('no listener throws for any event', async (t) => {
  const { usage, source } = begin(t)
  const { instance } = source
  const trap = {
    instance,
    get userPoolId(): string {
      throw new Error('a trap')
    },
  }
  const thrown: unknown[] = []
  const onError = (error: unknown) => void thrown.push(error)
  process.on('uncaughtException', onError)
  for (const message of [undefined, null, 5, 'text', [], {}, { instance }, trap]) {
    channel('cognito-m2m:token-request').publish(message)
    channel('cognito-m2m:decision').publish(message)
  }
  await new Promise((resolve) => setImmediate(resolve))
  process.off('uncaughtException', onError)
  t.strictSame(thrown, [])
  // A decision without a member counts as unverified, with ERR_INTERNAL.
  t.strictSame((await usage.report()).rows, [
    {
      ...UNVERIFIED,
      requests: { accepted: 0, refused: 1, byCode: { ERR_INTERNAL: 1 } },
      firstUsed: NOON,
      lastUsed: NOON,
    },
  ])
})

t.test('an attached source is counted once, until it is detached', async (t) => {
  const { usage } = begin(t)
  const [one, other] = [source(), source()]
  const issued = async () => (await usage.report()).rows[0]?.tokens.issued
  other.token('issued', 'a')
  t.equal(await issued(), 0)
  const [detach, again] = [usage.attach(one), usage.attach(one)]
  t.equal(usage.status().sources, 2)
  one.token('issued', 'a')
  other.token('issued', 'a')
  t.equal(await issued(), 1)
  detach()
  detach()
  one.token('issued', 'a')
  t.equal(await issued(), 2)
  again()
  one.token('issued', 'a')
  t.equal(await issued(), 2)
  t.equal(usage.status().sources, 1)
})

t.test(
  'the channels have no subscriber after the last source is detached, and after close',
  async (t) => {
    const names = ['cognito-m2m:decision', 'cognito-m2m:token-request']
    const subscriptions = () => names.map((name) => channel(name).hasSubscribers)
    const usage = createUsage({ price: PRICE })
    t.strictSame(subscriptions(), [false, false])
    const detach = usage.attach(source())
    t.strictSame(subscriptions(), [true, true])
    detach()
    t.strictSame(subscriptions(), [false, false])
    const late = usage.attach(source())
    await usage.close()
    t.strictSame(subscriptions(), [false, false])
    late()
  },
)

t.test('an object that is not a source is rejected', (t) => {
  const usage = createUsage({ price: PRICE })
  for (const [wrong, shown] of [
    [undefined, 'undefined'],
    [{}, 'an object'],
    [{ status: () => null }, 'an object'],
    [{ status: () => ({ instance: '1' }) }, 'an object'],
    ['proxy', '"proxy"'],
  ] as const) {
    t.throws(() => usage.attach(wrong as unknown as UsageSource), {
      code: 'ERR_OPTION_INVALID',
      message: `cognito-m2m: source: expected a token proxy, a resource server or a local user pool, got ${shown}. Pass app.tokenProxy, app.cognito or a local user pool.`,
    })
  }
  t.end()
})

t.test('a token of an attached proxy and its attached pool counts once', async (t) => {
  const { usage, source: proxy } = begin(t)
  const pool = source(POOL)
  const detach = usage.attach(pool)
  const elsewhere = 'eu-west-1_Elsewhere'
  for (const { token } of [pool, proxy]) token('issued', 'a')
  proxy.token('cached', 'a')
  proxy.token('issued', 'a', elsewhere)
  detach()
  proxy.token('issued', 'a')
  const { rows } = await usage.report()
  t.strictSame(
    rows.map(({ userPoolId, tokens }) => [userPoolId, tokens.issued, tokens.cached]),
    [
      [POOL, 2, 1],
      [elsewhere, 1, 0],
      [null, 0, 0],
    ],
  )
})

t.test('if the clock fails, its last time counts', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'a')
  for (const wrong of [Number.NaN, -1, 1e20]) {
    clock.seconds = wrong
    source.token('issued', 'a')
  }
  const { at, rows } = await usage.report()
  t.equal(at, NOON)
  t.match(rows, [{ firstUsed: NOON, lastUsed: NOON, tokens: { issued: 4 } }, {}])
})

t.test('series have hours of a week or days of a quarter, and a line per client', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'b')
  source.token('cached', 'a')
  source.token('refused', 'c')
  clock.seconds += HOUR
  source.token('issued', 'b')
  clock.seconds += DAY
  source.token('cached', 'b')
  const days = await usage.series()
  t.match(days, { unit: 'day', step: DAY })
  t.equal(days.starts.length, 92)
  t.strictSame(days.starts.slice(-2), [NOON - 12 * HOUR, NOON + 12 * HOUR])
  t.strictSame(
    days.lines.map(({ clientId, issued, cached }) => [
      clientId,
      issued.slice(-3),
      cached.slice(-3),
    ]),
    [
      ['a', [0, 0, 0], [0, 1, 0]],
      ['b', [0, 2, 0], [0, 0, 1]],
    ],
  )
  const hours = await usage.series('hour')
  t.match(hours, { unit: 'hour', step: HOUR })
  t.equal(hours.starts.length, 168)
  t.equal(hours.starts.at(-1), NOON + 25 * HOUR)
  t.strictSame(hours.lines[1]?.issued.slice(-26, -24), [1, 1])
  t.ok(hours.lines.every(({ issued, cached }) => issued.length === 168 && cached.length === 168))
  await t.rejects(usage.series('week' as 'day'), {
    code: 'ERR_OPTION_INVALID',
    message: 'cognito-m2m: unit: expected "hour" or "day", got "week". Pass one of the two.',
  })
})

t.test('a local pool and an API are both counted', async (t) => {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: ['first'], scopes: ['orders/read'] }],
  })
  const server = createResourceServer(pool.options())
  const usage = createUsage({ price: PRICE })
  t.teardown(async () => {
    await usage.close()
    server.close()
    await pool.close()
  })
  usage.attach(pool)
  usage.attach(server)
  const post = async (secret: string) =>
    (
      await ask(pool.port, {
        method: 'POST',
        path: '/oauth2/token',
        headers: { 'content-type': FORM },
        body: `grant_type=client_credentials&client_id=billing&client_secret=${secret}`,
      })
    ).json['access_token']
  const token = await post('first')
  await post('guess')
  const read = server.guard({ scopes: 'orders/read' })
  const write = server.guard({ scopes: 'orders/write' })
  for (let index = 0; index < 3; index += 1) await read(`Bearer ${token}`)
  await t.rejects(async () => write(`Bearer ${token}`), { code: 'ERR_SCOPE_INSUFFICIENT' })
  await t.rejects(async () => read(`Bearer ${pool.tampered.expired()}`), {
    code: 'ERR_TOKEN_EXPIRED',
  })
  t.match((await usage.report()).rows, [
    {
      kind: 'client',
      userPoolId: pool.userPoolId,
      clientId: 'billing',
      tokens: { ...NOTHING, issued: 1 },
      requests: { accepted: 3, refused: 1, byCode: { ERR_SCOPE_INSUFFICIENT: 1 } },
    },
    {
      kind: 'unverified',
      tokens: { ...NOTHING, refused: 1 },
      requests: { accepted: 0, refused: 1, byCode: { ERR_TOKEN_EXPIRED: 1 } },
    },
  ])
})
