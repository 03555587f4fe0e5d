/**
 * Calls the owner's `clients` lookup within limits, because unauthenticated callers can name as many
 * client ids as they like. A client that was admitted before waits for its turn, and goes first.
 */
import { callHook, HookError } from '../../core/hooks.ts'
import type { ClientLookup } from '../../core/options/user-pool.ts'
import { pause } from '../../core/util/async.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { Purse } from './quota.ts'

/** How often a lookup is called. */
export interface LookupLimits {
  readonly perSecond: number
  readonly concurrency: number
  /** How often a client that was admitted before looks whether it is its turn. */
  readonly polls: number
  /** Milliseconds. */
  readonly monotonicNow: () => number
}

const MAX_ADMITTED = 10_000
/** Milliseconds between two polls, at most. */
const POLL_MS = 100

/** @returns The lookup; it rejects where a limit is reached, and does not call the owner's then. */
export function limitedLookup(lookup: ClientLookup, limits: LookupLimits): ClientLookup {
  const { perSecond, concurrency, polls, monotonicNow } = limits
  const purse = new Purse(perSecond, concurrency)
  const admitted = new BoundedMap<true>(MAX_ADMITTED)
  let waiting = 0

  function take(): boolean {
    const now = monotonicNow()
    const isFree = purse.isFree(now)
    if (isFree) purse.spend(now)
    return isFree
  }

  /** As many wait as one second has turns for. */
  async function waitForTurn(): Promise<boolean> {
    if (take()) return true
    if (waiting >= perSecond) return false
    waiting += 1
    try {
      for (let poll = 0; poll < polls; poll += 1) {
        await pause(POLL_MS)
        if (take()) return true
      }
      return false
    } finally {
      waiting -= 1
    }
  }

  return async (clientId) => {
    const wasAdmitted = admitted.get(clientId) !== undefined
    const isTurn = wasAdmitted ? await waitForTurn() : waiting === 0 && take()
    if (!isTurn) throw new HookError('ERR_DECISION_FAILED')
    try {
      const isClient = await callHook(() => lookup(clientId))
      if (isClient) admitted.set(clientId, true)
      else admitted.delete(clientId)
      return isClient
    } finally {
      purse.inFlight -= 1
    }
  }
}
