/** Asks the owner whether an app client may call: cached, bounded, one question at a time. */
import { ask } from './hooks.ts'
import type { ClientLookup } from './options/user-pool.ts'

/** Answers of each kind kept: more clients than that make the oldest be asked again. */
const MAX_ANSWERS = 10_000

/** How long answers hold, in milliseconds, and the clock they are held against. */
export interface LookupCacheOptions {
  readonly allow: number
  readonly deny: number
  /** Milliseconds. */
  readonly elapsed: () => number
}

/**
 * Wraps a lookup. A yes is kept apart from a no: whoever makes up ids pushes no client out.
 *
 * @returns `true` and `false` are answers; a rejection means there was none, and is not kept.
 */
export function cachedLookup(
  lookup: ClientLookup,
  { allow, deny, elapsed }: LookupCacheOptions,
): (clientId: string) => boolean | Promise<boolean> {
  const allowedUntil = new Map<string, number>()
  const deniedUntil = new Map<string, number>()
  const asking = new Map<string, Promise<boolean>>()

  async function question(clientId: string): Promise<boolean> {
    const allowed = await ask(() => lookup(clientId))
    allowedUntil.delete(clientId)
    deniedUntil.delete(clientId)
    const kept = allowed ? allowedUntil : deniedUntil
    kept.set(clientId, elapsed() + (allowed ? allow : deny))
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_ANSWERS) break
      kept.delete(oldest)
    }
    return allowed
  }

  return (clientId) => {
    const allowed = allowedUntil.get(clientId)
    const until = allowed ?? deniedUntil.get(clientId)
    if (until !== undefined && elapsed() < until) return allowed !== undefined
    let asked = asking.get(clientId)
    if (asked === undefined) {
      asked = question(clientId).finally(() => asking.delete(clientId))
      asking.set(clientId, asked)
    }
    return asked
  }
}
