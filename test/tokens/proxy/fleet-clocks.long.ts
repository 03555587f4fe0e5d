/**
 * Four proxies over one Redis whose wall clocks differ by minutes: they share tokens, and serve none past
 * its expiry. The clock of this process, of Redis and of the upstream is the real one.
 */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { reply, startUpstream } from '../../support/proxy.ts'
import { fleetOf, type ProxyProcess } from '../../support/proxy-processes.ts'
import { withoutRedis } from '../../support/redis.ts'

const SKEWS_MS = [120_000, -120_000, 0, 60_000]
const LIFE_SECONDS = 8
const LIVES = 2
const CALLERS_PER_PROXY = 2
/** Milliseconds between two requests of one caller. */
const PAUSE_MS = 50
const WARNING = 'cognito-m2m: the clocks of this process and of the token store differ'

/** What one caller got. */
interface Served {
  readonly proxy: ProxyProcess
  readonly status: number
  readonly token: string
  /** By the token itself, in milliseconds since 1970. */
  readonly expiresAt: number
  /** Time before its request, in milliseconds since 1970. */
  readonly sentAt: number
  /** Seconds, as the proxy says. */
  readonly expiresIn: number
}

async function call(proxy: ProxyProcess): Promise<Served> {
  const sentAt = Date.now()
  const { status, json } = await proxy.ask()
  const token = String(json['access_token'])
  const expiresAt = Number(token.split('.')[1])
  return { proxy, status, token, expiresAt, sentAt, expiresIn: Number(json['expires_in']) }
}

t.test('wall clocks that are minutes apart', { skip: withoutRedis }, async (t) => {
  /** Expiry of each token, in the order of the requests. */
  const expiries: number[] = []
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) => {
    const expiresAt = Date.now() + 1000 * LIFE_SECONDS
    expiries.push(expiresAt)
    reply(response, 200, {
      access_token: `token-${count}.${expiresAt}`,
      token_type: 'Bearer',
      expires_in: LIFE_SECONDS,
    })
  })
  const { proxies } = await fleetOf(t, tokenEndpoint, { skewsMs: SKEWS_MS, bound: 10_000 })
  const served: Served[] = []
  const isOver = (): boolean => Date.now() >= (expiries[LIVES - 1] ?? Number.POSITIVE_INFINITY)
  const caller = async (proxy: ProxyProcess): Promise<void> => {
    while (!isOver()) {
      served.push(await call(proxy))
      await wait(PAUSE_MS)
    }
  }
  const callers = Array.from({ length: CALLERS_PER_PROXY }, () => proxies.map(caller))
  await Promise.all(callers.flat())
  t.comment(`${served.length} answers, ${expiries.length} token requests`)

  t.strictSame(
    served.filter(({ status }) => status !== 200),
    [],
  )
  // Asked for after its expiry, it was served after it, however long the answer took.
  const expired = served.filter(({ sentAt, expiresAt }) => !(sentAt < expiresAt))
  t.equal(expired.length, 0, 'none is served past its expiry')
  const overstated = served.filter((it) => !(it.sentAt + 1000 * it.expiresIn <= it.expiresAt))
  t.equal(overstated.length, 0, 'no caller is told of a longer life than is left')
  // Each token is renewed at three quarters of its lifetime, so the last is requested before the second ends.
  t.ok(expiries.length <= LIVES + 1, `one request a life: ${expiries.length}`)
  t.ok(new Set(served.map(({ token }) => token)).size >= LIVES, 'tokens of both lives are served')
  for (const [index, { logged }] of proxies.entries()) {
    const skew = (SKEWS_MS[index] as number) / 1000
    const skews = logged.filter(({ msg }) => msg === WARNING).map((line) => Number(line['skew']))
    t.equal(skews.length, skew === 0 ? 0 : 1, `a skew of ${skew} s is logged once`)
    for (const it of skews) {
      t.equal(Math.sign(it), Math.sign(skew))
      // The time that Redis took for the answer makes it less, never more.
      t.ok(Math.abs(it) >= 5 && Math.abs(it) <= Math.abs(skew), `${it} s of ${skew} s`)
    }
  }
})
