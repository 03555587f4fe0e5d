/** Calls the `check` and client lookup functions of the API's owner, and fails closed. */

import { StacklessError } from './errors.ts'
import type { ClientLookup } from './options/user-pool.ts'
import { BoundedMap } from './util/bounded-map.ts'
import { withTimeout } from './util/time.ts'

/** Cached results of each kind. Beyond that, the oldest client is looked up again. */
const MAX_CACHED_RESULTS = 10_000

/** How long results stay valid, in milliseconds, and the clock that measures it. */
interface LookupCacheOptions {
  readonly allow: number
  readonly deny: number
  /** Milliseconds. */
  readonly elapsed: () => number
}

/**
 * Wraps a lookup with a cache and single-flight calls. Allowed and denied ids are cached apart, so
 * made-up ids evict no allowed client.
 *
 * @returns A function that returns the decision; its rejection means there was none, and is not cached.
 */
export function createCachedLookup(
  lookup: ClientLookup,
  { allow, deny, elapsed }: LookupCacheOptions,
): (clientId: string) => boolean | Promise<boolean> {
  const allowedUntil = new BoundedMap<number>(MAX_CACHED_RESULTS)
  const deniedUntil = new BoundedMap<number>(MAX_CACHED_RESULTS)
  const inFlight = new Map<string, Promise<boolean>>()

  async function callLookup(clientId: string): Promise<boolean> {
    const isAllowed = await callHook(() => lookup(clientId))
    allowedUntil.delete(clientId)
    deniedUntil.delete(clientId)
    const results = isAllowed ? allowedUntil : deniedUntil
    results.set(clientId, elapsed() + (isAllowed ? allow : deny))
    return isAllowed
  }

  return (clientId) => {
    const allowed = allowedUntil.get(clientId)
    const until = allowed ?? deniedUntil.get(clientId)
    if (until !== undefined && elapsed() < until) return allowed !== undefined
    let pending = inFlight.get(clientId)
    if (pending === undefined) {
      pending = callLookup(clientId).finally(() => inFlight.delete(clientId))
      inFlight.set(clientId, pending)
    }
    return pending
  }
}

/** Longest time a hook may take, in milliseconds. */
export const HOOK_TIMEOUT_MS = 3000

/** A hook gave no decision. Its own error is not attached: it may quote the token. */
export class HookError extends StacklessError {
  override readonly name = 'HookError'
  readonly code: 'ERR_DECISION_TIMEOUT' | 'ERR_DECISION_FAILED'

  /** @param thrown Class of the thrown error, to help find the fault. */
  constructor(code: HookError['code'], thrown = '') {
    super(
      code === 'ERR_DECISION_TIMEOUT'
        ? 'A check or client lookup took too long'
        : `A check or client lookup threw or rejected${thrown}`,
    )
    this.code = code
    this.dropStack()
  }
}

/**
 * Calls a hook. Only the boolean `true` allows: a truthy object is more likely a mistake.
 *
 * @throws {HookError} if the hook throws, rejects or takes over 3 seconds.
 */
export async function callHook(hook: () => unknown): Promise<boolean> {
  const createError = (): HookError => new HookError('ERR_DECISION_TIMEOUT')
  return (await withTimeout(HOOK_TIMEOUT_MS, runHook(hook), createError)) === true
}

async function runHook(hook: () => unknown): Promise<unknown> {
  try {
    return await hook()
  } catch (error) {
    throw new HookError('ERR_DECISION_FAILED', describeErrorClass(error))
  }
}

/** Only a class name that cannot be a message. A hostile error may throw when it is read. */
function describeErrorClass(error: unknown): string {
  try {
    const { name } = (error as Error).constructor
    return /^[A-Za-z]{1,40}Error$/.test(name) ? ` (${name})` : ''
  } catch {
    return ''
  }
}
