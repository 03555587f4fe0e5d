/**
 * A process whose global `Promise` is replaced (bluebird, zone.js, a realm of Jest). No promise of any
 * class is mistaken for a decision.
 */
import t, { type Test } from 'tap'
import type { AuthErrorCode } from '../../../src/index.ts'
import { listen } from '../../support/listen.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { openStage, type Stage, type StageOptions } from './surface-fixture.ts'
import { isReached, isRefused, onEverySurface } from './surface-proof.ts'

/** Checks of one turn of the event loop that are done in line, and some that are not. */
const CROWD = 24

/** Promises of Node are not instances of it, nor of the libraries' classes. */
function replacePromise(t: Test): void {
  const own = globalThis.Promise
  globalThis.Promise = class Foreign<Value> extends own<Value> {} as PromiseConstructor
  t.teardown(() => {
    globalThis.Promise = own
  })
}

const no = async (): Promise<boolean> => false

/** An API that has its keys. */
async function openReady(t: Test, surface: Surface, options?: StageOptions): Promise<Stage> {
  replacePromise(t)
  const stage = await openStage(t, surface, options)
  await stage.door.server.ready()
  return stage
}

const refusals: readonly [string, StageOptions, AuthErrorCode][] = [
  ['a client lookup', { options: () => ({ clientId: no }) }, 'ERR_CLIENT_NOT_ALLOWED'],
  ["the server's check", { options: () => ({ check: no }) }, 'ERR_ACCESS_DENIED'],
  ["a route's check", { requirement: { check: no } }, 'ERR_ACCESS_DENIED'],
]

for (const [name, options, code] of refusals) {
  onEverySurface(t, `${name} that says no in a while is waited for`, async (t, surface) => {
    const { ask, pool } = await openReady(t, surface, options)
    const token = pool.accessToken()
    isRefused(t, surface, await ask(token), code, 'the first use')
    isRefused(t, surface, await ask(token), code, 'the second use')
  })
}

onEverySurface(t, 'a crowd of forged signatures is refused', async (t, surface) => {
  const { ask, pool } = await openReady(t, surface)
  isReached(t, await ask(), 'a good one')
  const forged = pool.tampered.wrongKey()
  const answers = await Promise.all(Array.from({ length: CROWD }, () => ask(forged)))
  for (const answer of answers) {
    isRefused(t, surface, answer, 'ERR_TOKEN_SIGNATURE', 'one of a crowd')
  }
})

onEverySurface(t, 'a token whose key has to be fetched is judged by it', async (t, surface) => {
  replacePromise(t)
  const { ask, pool } = await openStage(t, surface)
  isReached(t, await ask(), 'the first one')
  isRefused(t, surface, await ask(pool.tampered.unknownKey()), 'ERR_KEY_UNKNOWN', 'an unknown kid')
})

onEverySurface(
  t,
  'a decision that takes a while is told as what it came to',
  async (t, surface) => {
    const { of } = listen(t)
    const { ask, door } = await openReady(t, surface, { requirement: { check: no } })
    await ask()
    const { instance } = door.server.status()
    t.match(of('cognito-m2m:decision', instance), [{ code: 'ERR_ACCESS_DENIED' }])
  },
)
