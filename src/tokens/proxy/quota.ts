/**
 * Quota of token requests to Cognito. Credentials that are not proven share one part of it. Each proven client
 * has at most a quarter, so that one client cannot use up the quota of the others.
 */

/** Longest wait for a turn, in milliseconds. */
const MAX_QUEUE_WAIT_MS = 2000
/** Requests in one queue. */
const MAX_QUEUE_LENGTH = 500
/** Requests of one client id in one queue. */
const MAX_PER_CLIENT = 20
/** Milliseconds between two checks of the quota while requests wait. */
const TICK_MS = 20

/** Ends the request that was granted. */
export type Release = () => void

interface Waiter {
  /** Monotonic, milliseconds. */
  readonly until: number
  readonly resolve: (release: Release | undefined) => void
}

/** Waiters by client id. The client whose turn is next stands first. */
class FairQueue {
  readonly #clients = new Map<string, Waiter[]>()
  length = 0

  get clientIds(): string[] {
    return [...this.#clients.keys()]
  }

  hasRoom(clientId: string): boolean {
    const waiting = this.#clients.get(clientId)?.length ?? 0
    return this.length < MAX_QUEUE_LENGTH && waiting < MAX_PER_CLIENT
  }

  add(clientId: string, waiter: Waiter): void {
    const waiters = this.#clients.get(clientId)
    if (waiters === undefined) this.#clients.set(clientId, [waiter])
    else waiters.push(waiter)
    this.length += 1
  }

  /** The client's first request leaves; its next one waits behind all other clients. */
  grant(clientId: string, release: Release): void {
    const [first, ...others] = this.#clients.get(clientId) as [Waiter, ...Waiter[]]
    this.#clients.delete(clientId)
    if (others.length > 0) this.#clients.set(clientId, others)
    this.length -= 1
    first.resolve(release)
  }

  /** Refuses those that waited long enough. */
  refuse(isOver: (waiter: Waiter) => boolean): void {
    for (const [clientId, waiters] of [...this.#clients]) {
      const left = waiters.filter((waiter) => !isOver(waiter))
      for (const waiter of waiters) if (isOver(waiter)) waiter.resolve(undefined)
      this.length -= waiters.length - left.length
      if (left.length === 0) this.#clients.delete(clientId)
      else this.#clients.set(clientId, left)
    }
  }
}

/** Two fair queues in front of an {@link UpstreamQuota}. A timer checks the quota while requests wait. */
export class QuotaQueue {
  readonly #quota: UpstreamQuota
  readonly #monotonicNow: () => number
  readonly #proven = new FairQueue()
  readonly #unproven = new FairQueue()
  #timer: NodeJS.Timeout | undefined

  /** @param monotonicNow Milliseconds. */
  constructor(quota: UpstreamQuota, monotonicNow: () => number) {
    this.#quota = quota
    this.#monotonicNow = monotonicNow
  }

  /** Requests that wait. */
  get lengths(): { readonly proven: number; readonly unproven: number } {
    return { proven: this.#proven.length, unproven: this.#unproven.length }
  }

  /** Whether {@link tryConsume} would not refuse at once. */
  hasRoom(clientId: string, isProven: boolean): boolean {
    this.#dispatch()
    return this.#queue(isProven).hasRoom(clientId)
  }

  /**
   * Waits for a request to spend, in its turn.
   *
   * @param maxWaitMs Milliseconds; never more than {@link MAX_QUEUE_WAIT_MS}.
   * @returns What to call once it is answered; undefined where the queue is full or the wait is over.
   */
  async take(clientId: string, isProven: boolean, maxWaitMs: number): Promise<Release | undefined> {
    if (!this.hasRoom(clientId, isProven)) return undefined
    const until = this.#monotonicNow() + Math.min(MAX_QUEUE_WAIT_MS, maxWaitMs)
    return new Promise((resolve) => {
      this.#queue(isProven).add(clientId, { until, resolve })
      this.#dispatch()
      this.#timer ??= this.#tickLater()
    })
  }

  /** Refuses all that wait. */
  close(): void {
    for (const queue of [this.#proven, this.#unproven]) queue.refuse(() => true)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #queue(isProven: boolean): FairQueue {
    return isProven ? this.#proven : this.#unproven
  }

  /** Turns are granted before waits end, so a turn that comes just in time is not lost. */
  #tickLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.#dispatch()
      const now = this.#monotonicNow()
      const { proven, unproven } = { proven: this.#proven, unproven: this.#unproven }
      for (const queue of [proven, unproven]) queue.refuse(({ until }) => now >= until)
      if (proven.length + unproven.length > 0) this.#timer = this.#tickLater()
    }, TICK_MS)
  }

  #dispatch(): void {
    this.#grantTurns(this.#proven, (clientId) => clientId)
    // All of them spend the same share: where the first gets no turn, nobody does.
    this.#grantTurns(this.#unproven, () => undefined)
  }

  /** @param spender The client that a request counts for; undefined for unverified clients, which share one quota. */
  #grantTurns(queue: FairQueue, spender: (clientId: string) => string | undefined): void {
    let isGranted = queue.length > 0
    while (isGranted) {
      isGranted = false
      for (const clientId of queue.clientIds) {
        const spendingClient = spender(clientId)
        const release = this.#quota.take(this.#monotonicNow(), spendingClient)
        if (release !== undefined) {
          isGranted = true
          queue.grant(clientId, () => {
            release()
            this.#dispatch()
          })
        } else if (spendingClient === undefined) return
      }
    }
  }
}

/** Limits of {@link UpstreamQuota}. */
export interface QuotaLimits {
  readonly perSecond: number
  readonly unprovenPerSecond: number
  readonly concurrency: number
}

/** Sliding window: at most `perSecond` requests in any second, also across the boundary of two. */
class SlidingWindow {
  readonly #times: Float64Array
  #oldest = 0

  constructor(perSecond: number) {
    this.#times = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY)
  }

  /** False while the clock is NaN. */
  isFree(now: number): boolean {
    return now - (this.#times[this.#oldest] as number) >= 1000
  }

  spend(now: number): void {
    this.#times[this.#oldest] = now
    this.#oldest = (this.#oldest + 1) % this.#times.length
  }
}

/** Requests per second and at once. */
export class Quota {
  readonly #rate: SlidingWindow
  readonly #concurrency: number
  inFlight = 0

  constructor(perSecond: number, concurrency: number) {
    this.#rate = new SlidingWindow(perSecond)
    this.#concurrency = concurrency
  }

  isFree(now: number): boolean {
    return this.inFlight < this.#concurrency && this.#rate.isFree(now)
  }

  spend(now: number): void {
    this.inFlight += 1
    this.#rate.spend(now)
  }
}

/** Share of the quota that one proven client may spend. */
const CLIENT_SHARE = 0.25

/** A count for each key. */
class CountByKey {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1)
  }

  remove(key: string): void {
    const left = this.of(key) - 1
    if (left === 0) this.#counts.delete(key)
    else this.#counts.set(key, left)
  }
}

/** Requests of each proven client in the last second, and in flight. */
class ClientQuotas {
  readonly #perSecond: number
  readonly #concurrency: number
  /** The oldest first. The whole quota bounds their number. */
  readonly #spends = new Set<{ readonly clientId: string; readonly at: number }>()
  readonly #recent = new CountByKey()
  readonly #inFlight = new CountByKey()

  constructor({ perSecond, concurrency }: QuotaLimits) {
    this.#perSecond = clientShareOf(perSecond)
    this.#concurrency = clientShareOf(concurrency)
  }

  isFree(now: number, clientId: string): boolean {
    for (const spend of this.#spends) {
      if (now - spend.at < 1000) break
      this.#spends.delete(spend)
      this.#recent.remove(spend.clientId)
    }
    const isWithinRate = this.#recent.of(clientId) < this.#perSecond
    return isWithinRate && this.#inFlight.of(clientId) < this.#concurrency
  }

  /** @returns What to call once it is answered. */
  spend(now: number, clientId: string): () => void {
    this.#spends.add({ clientId, at: now })
    this.#recent.add(clientId)
    this.#inFlight.add(clientId)
    return () => this.#inFlight.remove(clientId)
  }
}

/** At least one request, also of a small quota. */
function clientShareOf(whole: number): number {
  return Math.max(1, Math.floor(CLIENT_SHARE * whole))
}

/** All token requests that this process may send, with shares for unverified and for each proven client. */
export class UpstreamQuota {
  readonly #all: Quota
  readonly #unproven: Quota
  readonly #clients: ClientQuotas

  /** Requests at once are divided as requests a second are: a slow Cognito is no way around. */
  constructor(limits: QuotaLimits) {
    const { perSecond, unprovenPerSecond, concurrency } = limits
    const share = Math.floor((concurrency * unprovenPerSecond) / perSecond)
    this.#all = new Quota(perSecond, concurrency)
    this.#unproven = new Quota(unprovenPerSecond, Math.max(1, share))
    this.#clients = new ClientQuotas(limits)
  }

  get inFlight(): number {
    return this.#all.inFlight
  }

  /**
   * Whether there is a request to spend.
   *
   * @param now Monotonic, milliseconds.
   * @param clientId The proven client; undefined for a pair that is not proven.
   */
  isFree(now: number, clientId: string | undefined): boolean {
    if (!this.#all.isFree(now)) return false
    return clientId === undefined ? this.#unproven.isFree(now) : this.#clients.isFree(now, clientId)
  }

  /** Spends one request. @returns What to call once it is answered; undefined if there is none. */
  take(now: number, clientId: string | undefined): (() => void) | undefined {
    if (!this.isFree(now, clientId)) return undefined
    this.#all.spend(now)
    const release =
      clientId === undefined ? this.#spendUnproven(now) : this.#clients.spend(now, clientId)
    return () => {
      this.#all.inFlight -= 1
      release()
    }
  }

  #spendUnproven(now: number): () => void {
    this.#unproven.spend(now)
    return () => {
      this.#unproven.inFlight -= 1
    }
  }
}
