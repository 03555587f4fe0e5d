/** One string for all that are equal: thousands of tokens name a few clients. */

/** Names kept; beyond that they are collected anew. */
const MAX_NAMES = 10_000

/** See the module. */
export class Interned {
  readonly #names = new Map<string, string>()

  get size(): number {
    return this.#names.size
  }

  /** The first string that was equal. */
  one(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size >= MAX_NAMES) this.#names.clear()
    this.#names.set(name, name)
    return name
  }
}
