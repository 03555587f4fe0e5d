/**
 * Callers under load while Redis, Cognito or a proxy is killed or hangs: none is lost that a valid token
 * could serve. A few seconds here; `PROXY_LOAD_SECONDS=30` for the length that is promised.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { issue, reply, startUpstream } from '../../support/proxy.ts'
import { fleetOf, type ProxyProcess } from '../../support/proxy-processes.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import { sampleSize } from '../../support/sample.ts'

const SECONDS = sampleSize(
  'seconds of load under outages',
  { complete: 30, sampled: 5 },
  process.env['PROXY_LOAD_SECONDS'],
)
const CALLERS = 10
/** Milliseconds between two requests of one caller. */
const PAUSE = 10
/** Milliseconds a caller waits for one proxy, and how many it tries. */
const PATIENCE = 60_000
const TRIES = 4

interface Load {
  phase: string
  isOver: boolean
  served: number
  retried: number
  readonly lost: string[]
  /** How often each client was served in this phase. */
  readonly turns: Map<string, number>
  readonly slowest: Map<string, number>
}

/** Asks over and over, each time at the next proxy, and at another where one does not answer at all. */
async function caller(load: Load, proxies: readonly ProxyProcess[], clientId: string) {
  for (let turn = 0; !load.isOver; turn += 1) {
    const { phase } = load
    const begun = performance.now()
    let [status, tries] = [0, 0]
    while (status === 0 && tries < TRIES) {
      const proxy = proxies[(turn + tries) % proxies.length] as ProxyProcess
      const answer = proxy.ask({ clientId }).then(
        (it) => it.status,
        () => 0,
      )
      status = await Promise.race([answer, wait(PATIENCE, 0, { ref: false })])
      tries += 1
    }
    load.retried += tries - 1
    load.served += 1
    if (load.phase === phase) load.turns.set(clientId, (load.turns.get(clientId) ?? 0) + 1)
    if (status !== 200) load.lost.push(`${clientId} got ${status} while ${phase}`)
    const took = performance.now() - begun
    load.slowest.set(phase, Math.max(took, load.slowest.get(phase) ?? 0))
    await wait(PAUSE)
  }
}

t.test('no caller is lost', { skip: withoutRedis }, async (t) => {
  let cognito: 'issues' | 'hangs' | 'resets' = 'issues'
  const become = (how: typeof cognito): void => {
    cognito = how
  }
  const { requests, tokenEndpoint } = await startUpstream(
    t,
    (response: ServerResponse, _it, count) => {
      if (cognito === 'issues') reply(response, 200, issue(count))
      if (cognito === 'resets') response.destroy()
    },
  )
  const { redis, proxies } = await fleetOf(t, tokenEndpoint, { timeout: 30 })
  const [first] = proxies as [ProxyProcess, ProxyProcess]
  let again: RedisProcess | undefined
  t.teardown(() => again?.kill())
  const comeBack = async (): Promise<void> => {
    again = await startRedis({ port: redis.port })
  }
  const story: readonly (readonly [string, () => unknown])[] = [
    ['all is well', () => {}],
    ['Redis hangs', () => redis.pause()],
    ['Redis goes on', () => redis.resume()],
    ['Cognito hangs', () => become('hangs')],
    ['Cognito resets connections', () => become('resets')],
    ['Cognito is back', () => become('issues')],
    ['Redis is killed', () => redis.kill()],
    ['Redis is back, empty', comeBack],
    ['a proxy is killed', () => first.kill()],
  ]
  const load: Load = {
    phase: '',
    isOver: false,
    served: 0,
    retried: 0,
    lost: [],
    turns: new Map(),
    slowest: new Map(),
  }
  const clients = Array.from({ length: CALLERS }, (_, index) => `client-${index}`)
  const callers: Promise<void>[] = []
  for (const [phase, happen] of story) {
    await happen()
    load.phase = phase
    load.turns.clear()
    if (callers.length === 0) callers.push(...clients.map((id) => caller(load, proxies, id)))
    await wait((1000 * SECONDS) / story.length)
    // At each proxy, more than once, however busy the machine is.
    while (clients.some((id) => (load.turns.get(id) ?? 0) < 5)) await wait(PAUSE)
  }
  load.isOver = true
  await Promise.all(callers)
  for (const [phase, took] of load.slowest) t.comment(`${phase}: ${Math.round(took)} ms at most`)
  t.comment(
    `${load.served} served, ${load.retried} at another proxy, ${requests.length} token requests`,
  )
  t.strictSame(load.lost, [])
  t.ok(load.served > 10 * CALLERS)
  t.ok(load.retried > 0, 'the one that was killed was asked too')
})
