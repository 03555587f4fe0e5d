/** Counts in memory that are not written to the store yet. Memory is limited, and no use is lost. */
import { isShared, OTHER, type UsageCell } from './store/types.ts'

/** Cells of one client and hour, about 6 MB. Further clients are counted as `other`. */
export const MAX_CELLS = 20_000

const HOUR = 3600

interface Cell extends UsageCell {
  first: number
  last: number
  readonly counts: Map<string, number>
}

/** Counts of uses by subject and hour since the last write. */
export class UsageAggregator {
  readonly #maxCells: number
  /** By hour, then by subject: building a combined key for each request would cost more. */
  #hours = new Map<number, Map<string, Cell>>()
  /** A cell for each of the two shared subjects once the limit is reached, in the hour of its first use. */
  #overflow = new Map<string, Cell>()
  #size = 0

  constructor(maxCells: number = MAX_CELLS) {
    this.#maxCells = maxCells
  }

  get size(): number {
    return this.#size + this.#overflow.size
  }

  /** @param at Epoch seconds. */
  add(subject: string, name: string, at: number): void {
    const cell = this.#getCell(subject, at)
    cell.first = Math.min(cell.first, at)
    cell.last = Math.max(cell.last, at)
    cell.counts.set(name, (cell.counts.get(name) ?? 0) + 1)
  }

  /** Returns all counts and starts again at zero. */
  drain(): readonly UsageCell[] {
    const hourly = [...this.#hours.values()].flatMap((cells) => [...cells.values()])
    const cells = [...hourly, ...this.#overflow.values()]
    this.#hours = new Map()
    this.#overflow = new Map()
    this.#size = 0
    return cells
  }

  #getCell(subject: string, at: number): Cell {
    const hour = Math.floor(at / HOUR)
    const existing = this.#hours.get(hour)?.get(subject)
    if (existing !== undefined) return existing
    if (this.#size >= this.#maxCells) {
      const shared = isShared(subject) ? subject : OTHER
      return this.#overflow.get(shared) ?? createCell(this.#overflow, shared, hour, at)
    }
    const cells = this.#hours.get(hour) ?? new Map<string, Cell>()
    this.#hours.set(hour, cells)
    this.#size += 1
    return createCell(cells, subject, hour, at)
  }
}

function createCell(cells: Map<string, Cell>, subject: string, hour: number, at: number): Cell {
  const cell = { subject, hour, first: at, last: at, counts: new Map<string, number>() }
  cells.set(subject, cell)
  return cell
}
