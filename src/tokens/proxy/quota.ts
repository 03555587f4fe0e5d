/**
 * What the proxy may ask of Cognito. Pairs whose secret is not proven share one part of it. Each proven
 * client has at most a quarter, so one client cannot spend what the others need.
 */

/** See {@link readBudget}. */
export interface BudgetLimits {
  readonly perSecond: number
  readonly unprovenPerSecond: number
  readonly concurrency: number
}

/** No more than so many in any second: not twice as many around the turn of one. */
class Rate {
  readonly #times: Float64Array
  #oldest = 0

  constructor(perSecond: number) {
    this.#times = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY)
  }

  /** A clock that tells no time gives nothing away. */
  isFree(now: number): boolean {
    return now - (this.#times[this.#oldest] as number) >= 1000
  }

  spend(now: number): void {
    this.#times[this.#oldest] = now
    this.#oldest = (this.#oldest + 1) % this.#times.length
  }
}

/** So many requests a second, and so many at once. */
export class Purse {
  readonly #rate: Rate
  readonly #concurrency: number
  inFlight = 0

  constructor(perSecond: number, concurrency: number) {
    this.#rate = new Rate(perSecond)
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

/** Of the whole budget, what one proven client may spend. */
const CLIENT_SHARE = 0.25

/** How many of each. */
class Counts {
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

/** What each proven client spent in the last second, and has under way. */
class ClientShares {
  readonly #perSecond: number
  readonly #concurrency: number
  /** The oldest first; the whole budget bounds how many there are. */
  readonly #spends = new Set<{ readonly clientId: string; readonly at: number }>()
  readonly #recent = new Counts()
  readonly #inFlight = new Counts()

  constructor({ perSecond, concurrency }: BudgetLimits) {
    this.#perSecond = shareOf(perSecond)
    this.#concurrency = shareOf(concurrency)
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

/** A small budget leaves each client one request. */
function shareOf(whole: number): number {
  return Math.max(1, Math.floor(CLIENT_SHARE * whole))
}

/** See the module. */
export class Budget {
  readonly #all: Purse
  readonly #unproven: Purse
  readonly #clients: ClientShares

  /** Requests at once are divided as requests a second are: a slow Cognito is no way around. */
  constructor(limits: BudgetLimits) {
    const { perSecond, unprovenPerSecond, concurrency } = limits
    const share = Math.floor((concurrency * unprovenPerSecond) / perSecond)
    this.#all = new Purse(perSecond, concurrency)
    this.#unproven = new Purse(unprovenPerSecond, Math.max(1, share))
    this.#clients = new ClientShares(limits)
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
