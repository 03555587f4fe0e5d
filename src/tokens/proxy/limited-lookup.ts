/**
 * Rate limit of the `clients` lookup, because unauthenticated callers can send any number of client ids. A client that
 * was admitted before waits for its turn, and has priority.
 */
import { callHook, HookError } from '../../core/hooks.ts'
import type { ClientLookup } from '../../core/options/user-pool.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { sleepWithJitter } from '../../core/util/time.ts'
import { Quota } from './quota.ts'

/** Limits of the calls to a lookup. */
export interface LookupLimits {
  readonly perSecond: number
  readonly concurrency: number
  /** Polls of a client that was admitted before, until its turn. */
  readonly polls: number
  /** Milliseconds. */
  readonly monotonicNow: () => number
}

const MAX_ADMITTED = 10_000
/** Milliseconds between two polls, at most. */
const POLL_MS = 100

/** @returns The lookup within the limits. It rejects, without a call of `lookup`, if a limit is reached. */
export function limitedLookup(lookup: ClientLookup, limits: LookupLimits): ClientLookup {
  const { perSecond, concurrency, polls, monotonicNow } = limits
  const quota = new Quota(perSecond, concurrency)
  const admitted = new BoundedMap<true>(MAX_ADMITTED)
  let waiting = 0

  function takeTurn(): boolean {
    const now = monotonicNow()
    const isFree = quota.isFree(now)
    if (isFree) quota.spend(now)
    return isFree
  }

  /** Waits for a turn. At most `perSecond` calls wait. */
  async function waitForTurn(): Promise<boolean> {
    if (takeTurn()) return true
    if (waiting >= perSecond) return false
    waiting += 1
    try {
      for (let poll = 0; poll < polls; poll += 1) {
        await sleepWithJitter(POLL_MS)
        if (takeTurn()) return true
      }
      return false
    } finally {
      waiting -= 1
    }
  }

  return async (clientId) => {
    const wasAdmitted = admitted.get(clientId) !== undefined
    const isTurn = wasAdmitted ? await waitForTurn() : waiting === 0 && takeTurn()
    if (!isTurn) throw new HookError('ERR_DECISION_FAILED')
    try {
      const isClient = await callHook(() => lookup(clientId))
      if (isClient) admitted.set(clientId, true)
      else admitted.delete(clientId)
      return isClient
    } finally {
      quota.inFlight -= 1
    }
  }
}
