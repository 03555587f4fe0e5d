/** A map of limited size (FIFO eviction): it drops the entry that was set the longest time ago. */

/** Setting a key again makes it the newest. Reading it does not. */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>()
  readonly #maxEntries: number

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  /** @returns Whether the oldest entry was dropped for it. */
  set(key: string, value: Value): boolean {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#maxEntries) return false
    const oldest = this.#entries.keys().next().value as string
    this.#entries.delete(oldest)
    return true
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
