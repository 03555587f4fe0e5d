/** Fixture: one surface over its own local pool, with both clocks set by the test. */
import type { AccessRequirement, CognitoAuthOptions } from '../../../src/index.ts'
import {
  type JwksFault,
  type JwksHandler,
  type LocalUserPool,
  startUserPool,
} from '../../../src/testing/index.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import { RealLimit } from '../../support/real-limit.ts'
import type { Answer, Door, Surface } from '../behavior/endpoint.ts'

export const CLIENT = 'billing'

/** Seconds, as many as the option takes: no busy machine turns a test's answer into a timeout. */
const FETCH_TIMEOUT = 30

// Requests wait for a second at most when a process wakes: here for as long as the machine takes.
new RealLimit(1000)

export interface Stage {
  readonly pool: LocalUserPool
  readonly clocks: Clocks
  readonly door: Door
  /** Asks with a token, a new valid one where none is given. */
  ask(token?: string): Promise<Answer>
}

/** What differs from a healthy pool and the options it hands out. */
export interface StageOptions {
  /** At start, before the surface is opened. */
  readonly fault?: JwksFault | JwksHandler
  /** Before the surface is opened: for a fault that is made of the pool's own keys or clocks. */
  readonly prepare?: (pool: LocalUserPool, clocks: Clocks) => Promise<void>
  /** Over those of the pool; made from it, where they depend on it. */
  readonly options?: (pool: LocalUserPool, clocks: Clocks) => Partial<CognitoAuthOptions>
  readonly requirement?: AccessRequirement
}

/** Ends with the test. */
export async function openStage(
  t: { teardown(handler: () => unknown): unknown },
  surface: Surface,
  { fault, prepare, options, requirement }: StageOptions = {},
): Promise<Stage> {
  const clocks = new Clocks()
  const pool = await startUserPool({ clients: [{ clientId: CLIENT }], now: clocks.now })
  t.teardown(() => pool.close())
  if (fault !== undefined) await pool.setJwksFault(fault)
  await prepare?.(pool, clocks)
  const over = options?.(pool, clocks)
  const given = {
    ...pool.options(),
    monotonicNow: clocks.monotonicNow,
    ...over,
    keyStore: { fetchTimeout: FETCH_TIMEOUT, ...over?.keyStore },
  }
  const door = await surface.open(given as CognitoAuthOptions, requirement)
  t.teardown(() => door.close())
  const ask = (token = pool.accessToken()): Promise<Answer> => door.ask(`Bearer ${token}`)
  return { pool, clocks, door, ask }
}
