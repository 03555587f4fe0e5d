/** A stage whose endpoint fails as a row of the table says, and heals: at start or in mid-life. */
import type { Surface } from '../behaviour/door.ts'
import type { Failure, Fault } from './faults.ts'
import { openStage, type Stage } from './stage.ts'

/** Where running out of time is the fault, in seconds: short, and long enough for a busy machine. */
const SHORT = 0.5

export interface Outage extends Stage {
  /** The fault is in force from here on. */
  begin(): Promise<void>
  /** The endpoint answers well again. */
  heal(): Promise<void>
  /** Refreshes asked for while {@link hold} is in force; they go out when it ends. */
  readonly held: number
  hold(): void
  release(): void
}

/** @param atStart Whether the fault is in force before the surface is opened. */
export async function openOutage(
  t: { teardown(handler: () => unknown): unknown },
  surface: Surface,
  fault: Fault,
  { atStart = false }: { readonly atStart?: boolean } = {},
): Promise<Outage> {
  const teardown = (handler: () => unknown) => t.teardown(handler)
  const transport = new Transport()
  const fail = async (pool: Stage['pool']): Promise<void> => {
    const failure = await fault.make({ pool, teardown })
    if (failure instanceof URL) transport.detour = failure
    else await pool.setJwksFault(failure)
  }
  const stage = await openStage(t, surface, {
    prepare: async (pool) => {
      if (atStart) await fail(pool)
    },
    options: () => ({
      fetch: transport.fetch,
      // Elsewhere the default: a busy machine must not turn one fault into another.
      keyStore: fault.code === 'ERR_JWKS_TIMEOUT' ? { fetchTimeout: SHORT } : {},
    }),
  })
  return {
    ...stage,
    begin: () => fail(stage.pool),
    heal: async () => {
      transport.detour = undefined
      await stage.pool.setJwksFault(null)
    },
    get held() {
      return transport.held
    },
    hold: () => transport.hold(),
    release: () => transport.release(),
  }
}

/** Node's own fetch; held back, or sent elsewhere. */
class Transport {
  detour: Extract<Failure, URL> | undefined
  held = 0
  #held: Promise<void> | undefined
  #release = (): void => {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (this.#held !== undefined) {
      this.held += 1
      await this.#held
    }
    return globalThis.fetch(this.detour ?? input, init)
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }
}
