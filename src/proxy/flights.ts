/**
 * One request for a token at a time: within the process by sharing the promise, across processes by
 * the store's lock. Nobody who waits can end a flight, so a caller that hangs up takes nothing from
 * the others.
 */
import { randomUUID } from 'node:crypto'
import type { SteadyStore } from '../store/steady-store.ts'
import type { Found } from '../store/token-store.ts'
import { pause } from './pause.ts'

/** Where a token is kept and flown for: one name for entry, flight and lock. */
export interface Place {
  readonly name: string
  readonly group: string
}

/** What a flight does. Neither function rejects. */
export interface Errand<Result> {
  /** What another process has brought in the meantime, if that is as good. */
  readonly look: (found: Found) => Result | undefined
  /** @param epoch Of the group, read before asking. */
  readonly ask: (epoch: string) => Promise<Result>
}

interface Flight<Result> {
  readonly epoch: string
  readonly result: Promise<Result>
}

/** Longest wait between two looks, in milliseconds. */
const POLL = 100
/** Milliseconds by which a lock outlives the request it is held for. */
const MARGIN = 1000

/** See the module. */
export class Flights<Result> {
  readonly #store: SteadyStore
  readonly #ttl: number
  readonly #polls: number
  readonly #flights = new Map<string, Flight<Result>>()

  /** @param timeout Milliseconds an `ask` takes at most; who waits longer for another's, asks too. */
  constructor(store: SteadyStore, timeout: number) {
    this.#store = store
    this.#ttl = timeout + MARGIN
    this.#polls = Math.ceil(this.#ttl / (0.75 * POLL))
  }

  /** The flight for this name. One that began before the group was invalidated is none of ours. */
  underWay(name: string, epoch: string): Promise<Result> | undefined {
    const flight = this.#flights.get(name)
    return flight?.epoch === epoch ? flight.result : undefined
  }

  /** Starts a flight. Whoever comes while it lasts finds it {@link underWay}. */
  start(place: Place, epoch: string, errand: Errand<Result>): Promise<Result> {
    const { name } = place
    const result = this.#fly(place, errand).finally(() => {
      if (this.#flights.get(name) === flight) this.#flights.delete(name)
    })
    const flight = { epoch, result }
    this.#flights.set(name, flight)
    return result
  }

  async #fly({ name, group }: Place, { look, ask }: Errand<Result>): Promise<Result> {
    const store = this.#store
    const owner = randomUUID()
    for (let poll = 0; poll < this.#polls; poll += 1) {
      const isOurs = await store.lock(name, owner, this.#ttl)
      // Looked up with the lock in hand: who had it before may just have kept what we need.
      const found = await store.find(name, group)
      const there = look(found)
      try {
        if (there !== undefined) return there
        if (isOurs) return await ask(found.epoch)
      } finally {
        if (isOurs) void store.unlock(name, owner)
      }
      await pause(POLL)
    }
    const { epoch } = await store.find(name, group)
    return ask(epoch)
  }
}
