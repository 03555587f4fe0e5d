/** What Cognito refused a moment ago is refused again without asking: per exact request, for 10 s. */
import { BoundedMap } from './bounded-map.ts'
import type { Outcome } from './issuing.ts'

/** An outcome that is a refusal. */
export type Refused = Extract<Outcome, { kind: 'refused' }>

/** Milliseconds: how long a secret that was just made, or a scope just granted, is still refused. */
const REMEMBERED = 10_000
/** So many different ones at once; beyond it the oldest is asked for again. */
const MAX_REFUSALS = 10_000

interface Remembered {
  readonly refused: Refused
  readonly until: number
}

/** See the module. */
export class Refusals {
  readonly #remembered = new BoundedMap<Remembered>(MAX_REFUSALS)
  readonly #monotonicNow: () => number

  /** @param monotonicNow Milliseconds. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  get(name: string): Refused | undefined {
    const remembered = this.#remembered.get(name)
    if (remembered === undefined) return undefined
    if (this.#monotonicNow() < remembered.until) return remembered.refused
    this.#remembered.delete(name)
    return undefined
  }

  set(name: string, refused: Refused): void {
    this.#remembered.set(name, { refused, until: this.#monotonicNow() + REMEMBERED })
  }
}
