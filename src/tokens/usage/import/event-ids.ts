/**
 * A set of event ids in bounded memory: 64-bit hashes in a table with open addressing (linear probing). One million
 * ids take 16 MiB. Two of a million ids have the same hash with a probability of 3 in 10^8: one event would be missing.
 */
import { hash } from 'node:crypto'

/** Most ids. The table takes 64 MiB then, and 96 MiB while it grows. */
export const MAX_EVENT_IDS = 5_000_000

const INITIAL_SLOTS = 1024
/** Share of used slots at which the table doubles. */
const MAX_LOAD = 0.65
export const BYTES_PER_ID = 8

export class EventIdSet {
  /** Two words for each slot. Both are 0 in an empty slot. */
  #words = new Uint32Array(2 * INITIAL_SLOTS)
  #size = 0
  readonly maxSize: number

  constructor(maxSize: number = MAX_EVENT_IDS) {
    this.maxSize = maxSize
  }

  get isOverfull(): boolean {
    return this.#size > this.maxSize
  }

  /** @returns Whether the id is new. SHA-256: no caller can choose ids with the same hash. */
  add(id: string): boolean {
    const digest = hash('sha256', id, 'buffer')
    return this.#addWords(digest.readUInt32LE(0), digest.readUInt32LE(4))
  }

  /** Adds ids that {@link encode} returned. `readUsageImport` limits their number. */
  load(encoded: string): void {
    const bytes = Buffer.from(encoded, 'base64')
    for (let at = 0; at + BYTES_PER_ID <= bytes.length; at += BYTES_PER_ID) {
      this.#addWords(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4))
    }
  }

  /** The hashes in base64. */
  encode(): string {
    const bytes = Buffer.alloc(this.#size * BYTES_PER_ID)
    let at = 0
    for (let slot = 0; slot < this.#words.length; slot += 2) {
      const [low, high] = [this.#words[slot] as number, this.#words[slot + 1] as number]
      if (low === 0 && high === 0) continue
      bytes.writeUInt32LE(low, at)
      bytes.writeUInt32LE(high, at + 4)
      at += BYTES_PER_ID
    }
    return bytes.toString('base64')
  }

  #addWords(low: number, high: number): boolean {
    // Two zeros mark an empty slot, so an id with that hash gets another one. Equal hashes stay as improbable as before.
    const word = low === 0 && high === 0 ? 1 : low
    const slots = this.#words.length / 2
    let slot = word & (slots - 1)
    for (;;) {
      const [first, second] = [this.#words[2 * slot] as number, this.#words[2 * slot + 1] as number]
      if (first === word && second === high) return false
      if (first === 0 && second === 0) break
      slot = (slot + 1) & (slots - 1)
    }
    this.#words[2 * slot] = word
    this.#words[2 * slot + 1] = high
    this.#size += 1
    if (this.#size > slots * MAX_LOAD) this.#grow()
    return true
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(2 * old.length)
    this.#size = 0
    for (let slot = 0; slot < old.length; slot += 2) {
      const [low, high] = [old[slot] as number, old[slot + 1] as number]
      if (low !== 0 || high !== 0) this.#addWords(low, high)
    }
  }
}
