/**
 * Quota of token requests to Cognito. Unverified credentials share one part of it. Each verified client has at most a
 * quarter, so that one client cannot use up the quota of the others. Status and options call verified clients "proven".
 */

/** Longest wait for a turn, in milliseconds. */
const MAX_QUEUE_WAIT_MS = 2000
/** Most requests in one queue. */
const MAX_QUEUE_LENGTH = 500
/** Most requests of one client id in one queue. */
const MAX_PER_CLIENT = 20
/** Milliseconds between two checks of the quota while requests wait. */
const TICK_MS = 20

/** Returns the concurrency of a granted request, once it has a response. */
export type Release = () => void

interface Waiter {
  /** End of the wait by the monotonic clock, in milliseconds. */
  readonly until: number
  readonly resolve: (release: Release | undefined) => void
}

/** Waiters by client id, in round-robin order: the client with the next turn is first. */
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

  /** Grants the client's first request. Its next one waits behind all other clients. */
  grant(clientId: string, release: Release): void {
    const [first, ...others] = this.#clients.get(clientId) as [Waiter, ...Waiter[]]
    this.#clients.delete(clientId)
    if (others.length > 0) this.#clients.set(clientId, others)
    this.length -= 1
    first.resolve(release)
  }

  /** Refuses waiters whose wait is over. */
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
  readonly #verified = new FairQueue()
  readonly #unverified = new FairQueue()
  #timer: NodeJS.Timeout | undefined

  /** @param monotonicNow Milliseconds. */
  constructor(quota: UpstreamQuota, monotonicNow: () => number) {
    this.#quota = quota
    this.#monotonicNow = monotonicNow
  }

  /** Number of requests that wait. */
  get lengths(): { readonly proven: number; readonly unproven: number } {
    return { proven: this.#verified.length, unproven: this.#unverified.length }
  }

  /** Whether {@link take} may wait for a turn. False if the queue is full. */
  hasRoom(clientId: string, isVerified: boolean): boolean {
    this.#dispatch()
    return this.#queue(isVerified).hasRoom(clientId)
  }

  /**
   * Waits for the turn of a request, and spends it.
   *
   * @param maxWaitMs Milliseconds, at most {@link MAX_QUEUE_WAIT_MS}.
   * @returns A function to call once the request has a response. Undefined if the queue is full or the wait is over.
   */
  async take(
    clientId: string,
    isVerified: boolean,
    maxWaitMs: number,
  ): Promise<Release | undefined> {
    if (!this.hasRoom(clientId, isVerified)) return undefined
    const until = this.#monotonicNow() + Math.min(MAX_QUEUE_WAIT_MS, maxWaitMs)
    return new Promise((resolve) => {
      this.#queue(isVerified).add(clientId, { until, resolve })
      this.#dispatch()
      this.#timer ??= this.#tickLater()
    })
  }

  /** Refuses all waiters. */
  close(): void {
    for (const queue of [this.#verified, this.#unverified]) queue.refuse(() => true)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #queue(isVerified: boolean): FairQueue {
    return isVerified ? this.#verified : this.#unverified
  }

  /** Grants turns before it ends waits, so that a turn at the last moment is not lost. */
  #tickLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.#dispatch()
      const now = this.#monotonicNow()
      const queues = [this.#verified, this.#unverified]
      for (const queue of queues) queue.refuse(({ until }) => now >= until)
      if (queues.some(({ length }) => length > 0)) this.#timer = this.#tickLater()
    }, TICK_MS)
  }

  #dispatch(): void {
    this.#grantTurns(this.#verified, (clientId) => clientId)
    // Unverified clients share one quota: if the first gets no turn, none does.
    this.#grantTurns(this.#unverified, () => undefined)
  }

  /** @param spender Returns the client that a request counts for. Undefined for unverified clients, which share one quota. */
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

  /** Requests in the second before `now`. */
  count(now: number): number {
    return this.#times.reduce((count, time) => (now - time < 1000 ? count + 1 : count), 0)
  }

  spend(now: number): void {
    this.#times[this.#oldest] = now
    this.#oldest = (this.#oldest + 1) % this.#times.length
  }
}

/** Limits requests per second and concurrent requests. */
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

  countRecent(now: number): number {
    return this.#rate.count(now)
  }

  spend(now: number): void {
    this.inFlight += 1
    this.#rate.spend(now)
  }
}

/** Share of the quota that one verified client may spend. */
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

/** Requests of each verified client in the last second, and in flight. */
class ClientQuotas {
  readonly #perSecond: number
  readonly #concurrency: number
  /** The oldest first. The total quota bounds their number. */
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

  /** @returns A function to call once the request has a response. */
  spend(now: number, clientId: string): () => void {
    this.#spends.add({ clientId, at: now })
    this.#recent.add(clientId)
    this.#inFlight.add(clientId)
    return () => this.#inFlight.remove(clientId)
  }
}

/** At least one request, also of a small quota. */
function clientShareOf(total: number): number {
  return Math.max(1, Math.floor(CLIENT_SHARE * total))
}

/** All token requests that this process may send, with shares for unverified clients and for each verified client. */
export class UpstreamQuota {
  readonly #all: Quota
  readonly #unverified: Quota
  readonly #clients: ClientQuotas

  /** Concurrency is divided like the rate. Otherwise, a slow Cognito would let unverified clients exceed their share. */
  constructor(limits: QuotaLimits) {
    const { perSecond, unprovenPerSecond, concurrency } = limits
    const share = Math.floor((concurrency * unprovenPerSecond) / perSecond)
    this.#all = new Quota(perSecond, concurrency)
    this.#unverified = new Quota(unprovenPerSecond, Math.max(1, share))
    this.#clients = new ClientQuotas(limits)
  }

  get inFlight(): number {
    return this.#all.inFlight
  }

  /** Requests in the second before `now`, monotonic time in milliseconds. */
  countRecent(now: number): number {
    return this.#all.countRecent(now)
  }

  /**
   * Whether a request may be sent.
   *
   * @param now Monotonic time in milliseconds.
   * @param clientId The verified client. Undefined for unverified credentials.
   */
  isFree(now: number, clientId: string | undefined): boolean {
    if (!this.#all.isFree(now)) return false
    return clientId === undefined
      ? this.#unverified.isFree(now)
      : this.#clients.isFree(now, clientId)
  }

  /** Spends one request. @returns A function to call once it has a response. Undefined if none may be sent. */
  take(now: number, clientId: string | undefined): (() => void) | undefined {
    if (!this.isFree(now, clientId)) return undefined
    this.#all.spend(now)
    const release =
      clientId === undefined ? this.#spendUnverified(now) : this.#clients.spend(now, clientId)
    return () => {
      this.#all.inFlight -= 1
      release()
    }
  }

  #spendUnverified(now: number): () => void {
    this.#unverified.spend(now)
    return () => {
      this.#unverified.inFlight -= 1
    }
  }
}
