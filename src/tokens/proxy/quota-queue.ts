/**
 * Requests over budget wait here for their turn. Proven and unproven clients have a queue each, so that
 * guessed secrets never delay a client whose secret was accepted before. Clients take turns in it.
 */
import type { Budget } from './quota.ts'

/** Longest wait for a turn, in milliseconds. */
const MAX_QUEUE_WAIT_MS = 2000
/** Requests in one queue. */
const MAX_QUEUE_LENGTH = 500
/** Requests of one client id in one queue. */
const MAX_PER_CLIENT = 20
/** Milliseconds between two looks at the budget while somebody waits. */
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

/** Two fair queues in front of a {@link Budget}. A timer looks at the budget while somebody waits. */
export class BudgetQueue {
  readonly #budget: Budget
  readonly #monotonicNow: () => number
  readonly #proven = new FairQueue()
  readonly #unproven = new FairQueue()
  #timer: NodeJS.Timeout | undefined

  /** @param monotonicNow Milliseconds. */
  constructor(budget: Budget, monotonicNow: () => number) {
    this.#budget = budget
    this.#monotonicNow = monotonicNow
  }

  /** Requests that wait. */
  get lengths(): { readonly proven: number; readonly unproven: number } {
    return { proven: this.#proven.length, unproven: this.#unproven.length }
  }

  /** Whether {@link take} would not refuse at once. */
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

  /** @param spender Who the budget counts a request for; undefined for the unproven, who share theirs. */
  #grantTurns(queue: FairQueue, spender: (clientId: string) => string | undefined): void {
    let isGranted = queue.length > 0
    while (isGranted) {
      isGranted = false
      for (const clientId of queue.clientIds) {
        const clientOfShare = spender(clientId)
        const release = this.#budget.take(this.#monotonicNow(), clientOfShare)
        if (release !== undefined) {
          isGranted = true
          queue.grant(clientId, () => {
            release()
            this.#dispatch()
          })
        } else if (clientOfShare === undefined) return
      }
    }
  }
}
