/** Bounds the number of values of each label: each new value is another time series. */
import type { Label, Labels } from './catalog.ts'

/** The value of a label after its limit. */
const OVERFLOW = 'other'

/** Values that stand for a missing one. They count for no limit. */
export const MISSING: Readonly<Record<'pool' | 'route' | 'client', string>> = {
  pool: '(none)',
  route: '(unmatched)',
  client: '(unverified)',
}
const MISSING_VALUES: ReadonlySet<string> = new Set(Object.values(MISSING))

const DEFAULT_LIMIT = 100
/** Routes are declared by the app; only mount paths of Express may contain more. */
const LIMITS: Partial<Record<Label, number>> = { client: 100, route: 200, code: 50 }

/** The first values of each label keep their name. */
export class LabelLimits {
  readonly #seen = new Map<Label, Set<string>>()

  #limit(label: Label, value: string): string {
    let seen = this.#seen.get(label)
    if (seen === undefined) {
      seen = new Set()
      this.#seen.set(label, seen)
    }
    if (seen.has(value)) return value
    if (seen.size >= (LIMITS[label] ?? DEFAULT_LIMIT)) return OVERFLOW
    seen.add(value)
    return value
  }

  /** Replaces the values that are over the limit of their label. */
  limitAll(labels: Labels): Labels {
    const limited: { [Name in Label]?: string } = {}
    for (const [label, value] of Object.entries(labels) as [Label, string][]) {
      limited[label] = MISSING_VALUES.has(value) ? value : this.#limit(label, value)
    }
    return limited
  }
}
