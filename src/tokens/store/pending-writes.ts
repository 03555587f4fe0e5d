/** What a failing store could not be told yet, bounded. */

/** Things remembered; beyond that the first is forgotten. */
const MAX_UNTOLD = 10_000

/** See the module. */
export class Untold {
  readonly #tellers = new Map<string, () => Promise<void>>()

  add(key: string, teller: () => Promise<void>): void {
    this.#tellers.set(key, teller)
    if (this.#tellers.size <= MAX_UNTOLD) return
    for (const first of this.#tellers.keys()) {
      this.#tellers.delete(first)
      break
    }
  }

  has(key: string): boolean {
    return this.#tellers.has(key)
  }

  keys(): readonly string[] {
    return [...this.#tellers.keys()]
  }

  /** Tells it, and forgets it unless it was added anew meanwhile. Rejects as telling rejects. */
  async tell(key: string): Promise<void> {
    const teller = this.#tellers.get(key)
    await teller?.()
    if (this.#tellers.get(key) === teller) this.#tellers.delete(key)
  }
}
