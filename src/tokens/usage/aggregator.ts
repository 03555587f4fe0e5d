/** Counts in this process what is still to be written: bounded, and nothing is left out. */
import { isShared, OTHER, type UsageCell } from './store/types.ts'

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
  /** By hour, then by subject: no key is made of the two on the way of a request. */
  #hours = new Map<number, Map<string, Cell>>()
  /** One cell more for each of the two shared subjects, of the hour it was needed first. */
  #beyond = new Map<string, Cell>()
  #size = 0

  constructor(maxCells: number = MAX_CELLS) {
    this.#maxCells = maxCells
  }

  get size(): number {
    return this.#size + this.#beyond.size
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
    const ofHours = [...this.#hours.values()].flatMap((cells) => [...cells.values()])
    const cells = [...ofHours, ...this.#beyond.values()]
    this.#hours = new Map()
    this.#beyond = new Map()
    this.#size = 0
    return cells
  }

  #cellOf(subject: string, at: number): Cell {
    const hour = Math.floor(at / HOUR)
    const known = this.#hours.get(hour)?.get(subject)
    if (known !== undefined) return known
    if (this.#size >= this.#maxCells) {
      const shared = isShared(subject) ? subject : OTHER
      return this.#beyond.get(shared) ?? open(this.#beyond, shared, hour, at)
    }
    const cells = this.#hours.get(hour) ?? new Map<string, Cell>()
    this.#hours.set(hour, cells)
    this.#size += 1
    return open(cells, subject, hour, at)
  }
}

function open(cells: Map<string, Cell>, subject: string, hour: number, at: number): Cell {
  const cell = { subject, hour, first: at, last: at, counts: new Map<string, number>() }
  cells.set(subject, cell)
  return cell
}
