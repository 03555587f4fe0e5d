/** Counts in this process what is still to be written: bounded, and nothing is left out. */
import { isShared, OTHER, type UsageCell } from './usage-store.ts'

/** Cells of one client and hour: some 6 MB. What exceeds them is counted as `other`. */
export const MAX_CELLS = 20_000

const HOUR = 3600

interface Cell extends UsageCell {
  first: number
  last: number
  readonly counts: Map<string, number>
}

/** See above. */
export class Tally {
  readonly #maxCells: number
  #cells = new Map<string, Cell>()

  constructor(maxCells: number = MAX_CELLS) {
    this.#maxCells = maxCells
  }

  get size(): number {
    return this.#cells.size
  }

  /** @param at Epoch seconds. */
  add(subject: string, name: string, at: number): void {
    const cell = this.#cellOf(subject, at)
    cell.first = Math.min(cell.first, at)
    cell.last = Math.max(cell.last, at)
    cell.counts.set(name, (cell.counts.get(name) ?? 0) + 1)
  }

  /** Everything counted so far; begins anew. */
  take(): readonly UsageCell[] {
    const cells = [...this.#cells.values()]
    this.#cells = new Map()
    return cells
  }

  #cellOf(subject: string, at: number): Cell {
    const hour = Math.floor(at / HOUR)
    const key = `${hour} ${subject}`
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    if (this.#cells.size < this.#maxCells) return this.#open(key, subject, hour, at)
    // One cell more for each of the two, of the hour it was needed first.
    const shared = isShared(subject) ? subject : OTHER
    return this.#cells.get(shared) ?? this.#open(shared, shared, hour, at)
  }

  #open(key: string, subject: string, hour: number, at: number): Cell {
    const cell = { subject, hour, first: at, last: at, counts: new Map<string, number>() }
    this.#cells.set(key, cell)
    return cell
  }
}
