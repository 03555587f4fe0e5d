/** Follows names to what they stand for: each once, never in a circle. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import type { Value } from './value.ts'

/** Longest way from a name to a value; each step is a part of the stack. */
const MAX_STEPS = 100

export class Names {
  readonly #known = new Map<string, Value>()
  readonly #open: string[] = []

  /** @throws {TemplateError} where `name` leads back to itself. */
  resolve(key: string, name: string, at: Position, read: () => Value): Value {
    const known = this.#known.get(key)
    // Once: names that mention others twice double the work with every step.
    if (known !== undefined) return known
    const before = this.#open.indexOf(key)
    if (before >= 0 || this.#open.length === MAX_STEPS) {
      const way = before < 0 ? `through more than ${MAX_STEPS} names` : 'to itself in a circle'
      throw new TemplateError(at, `${toPrintable(name)} refers ${way}`)
    }
    this.#open.push(key)
    const value = read()
    this.#open.pop()
    this.#known.set(key, value)
    return value
  }
}
