/**
 * Verified tokens by the header value they came in, so that the second use of a token costs no RSA
 * check. Only what was verified gets in: strangers can fill nothing. A hit compares the whole value,
 * and proves no more than that it was verified once: whether it still holds is judged each time.
 */

/** What the cache knows of an entry; it links and marks entries itself. */
export interface CacheEntry {
  /** The whole header value: `Bearer <token>`. */
  readonly credential: string
  /** What the entry is held to take, at most. */
  readonly bytes: number
  visited: boolean
  /** Another entry of the same bucket. */
  next: this | undefined
}

/** Bounds of the cache. */
export interface TokenCacheBounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** A token takes more: buckets beyond that stay empty, and the hand would have to pass them. */
const LEAST_BYTES = 512
/** Entries of a bucket: what crowds into one, by chance or on purpose, is let go of. */
const MAX_CHAIN = 8

/**
 * Hashing the header value would cost more than all the rest of a hit, so buckets go by a few
 * characters of the signature, which is random. Not the very last: it has only four values.
 *
 * Let go of are entries that were not asked for since the hand last passed (a bit, set by a hit):
 * that keeps what is used without reordering anything on a hit.
 */
export class TokenCache<Entry extends CacheEntry> {
  readonly #bounds: TokenCacheBounds
  readonly #buckets: (Entry | undefined)[]
  readonly #mask: number
  #hand = 0
  #entries = 0
  #bytes = 0

  constructor(bounds: TokenCacheBounds) {
    this.#bounds = bounds
    const most = Math.min(bounds.maxEntries, Math.ceil(bounds.maxBytes / LEAST_BYTES))
    const size = 2 ** Math.ceil(Math.log2(most))
    this.#buckets = new Array(size).fill(undefined)
    this.#mask = size - 1
  }

  get entries(): number {
    return this.#entries
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The entry of exactly this header value. */
  get(credential: string): Entry | undefined {
    let entry = this.#buckets[this.#indexOf(credential)]
    while (entry !== undefined && entry.credential !== credential) entry = entry.next
    if (entry?.visited === false) entry.visited = true
    return entry
  }

  /** Keeps an entry whose header value is not there; too large a one is not kept. */
  add(entry: Entry): void {
    const { maxEntries, maxBytes } = this.#bounds
    if (entry.bytes > maxBytes) return
    while (this.#entries >= maxEntries || this.#bytes + entry.bytes > maxBytes) this.#makeRoom()
    const index = this.#indexOf(entry.credential)
    entry.next = this.#buckets[index]
    this.#buckets[index] = entry
    this.#entries += 1
    this.#bytes += entry.bytes
    this.#trim(entry)
  }

  /** Lets go of an entry that is there. */
  delete(entry: Entry): void {
    const index = this.#indexOf(entry.credential)
    let before: Entry | undefined
    let at = this.#buckets[index]
    while (at !== undefined && at !== entry) {
      before = at
      at = at.next
    }
    if (at === undefined) return
    if (before === undefined) this.#buckets[index] = at.next
    else before.next = at.next
    this.#forget(at)
  }

  clear(): void {
    this.#buckets.fill(undefined)
    this.#entries = 0
    this.#bytes = 0
  }

  #indexOf(credential: string): number {
    let hash = 0
    const end = credential.length - 1
    for (let at = end - 6; at < end; at += 1) {
      hash = Math.imul(hash, 31) + credential.charCodeAt(at)
    }
    return hash & this.#mask
  }

  /** Ends: the second time around no entry is marked any more. */
  #makeRoom(): void {
    for (;;) {
      let entry = this.#buckets[this.#hand]
      while (entry?.visited === true) {
        entry.visited = false
        entry = entry.next
      }
      if (entry !== undefined) {
        this.delete(entry)
        return
      }
      this.#hand = (this.#hand + 1) & this.#mask
    }
  }

  #trim(first: Entry): void {
    let last = first
    for (let length = 1; length < MAX_CHAIN; length += 1) {
      if (last.next === undefined) return
      last = last.next
    }
    if (last.next === undefined) return
    this.#forget(last.next)
    last.next = undefined
  }

  #forget(entry: Entry): void {
    this.#entries -= 1
    this.#bytes -= entry.bytes
  }
}
