/** A surface whose endpoint fails as a row of the table defines, and recovers: at start or later. */

import { fetchLimit } from '../../support/real-limit.ts'
import type { Surface } from '../behavior/endpoint.ts'
import type { Failure, Fault } from './faults.ts'
import { openStage, type Stage } from './surface-fixture.ts'

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
  const limit = fetchLimit()
  // Where running out of time is the fault, it does so while the fault lasts, and at no other time.
  const shorten = (): void => {
    if (fault.code === 'ERR_JWKS_TIMEOUT') limit.shorten()
  }
  const fail = async (pool: Stage['pool']): Promise<void> => {
    const failure = await fault.make({ pool, teardown })
    if (failure instanceof URL) transport.detour = failure
    else await pool.setJwksFault(failure)
  }
  const stage = await openStage(t, surface, {
    prepare: async (pool) => {
      if (!atStart) return
      await fail(pool)
      shorten()
    },
    options: () => ({
      fetch: transport.fetch,
      keyStore: { fetchTimeout: limit.milliseconds / 1000 },
    }),
  })
  return {
    ...stage,
    begin: async () => {
      await fail(stage.pool)
      shorten()
    },
    heal: async () => {
      limit.lengthen()
      transport.detour = undefined
      await stage.pool.setJwksFault(null)
    },
    get held() {
      return transport.held
    },
    hold: () => {
      limit.lengthen()
      transport.hold()
    },
    release: () => {
      shorten()
      transport.release()
    },
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
