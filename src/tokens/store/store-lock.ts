/** A lock that its owner renews while it works, so that the lock of a process that died ends soon. */

/** A lock that is held, or that stands for one while the store does not answer. */
export interface StoreLock {
  /** Frees the lock. Nobody waits for it. Later calls have no effect. */
  release(): void
}

/** Milliseconds until a lock is free whose owner stopped renewing it. */
export const LOCK_TTL_MS = 2000
/** Milliseconds between two renewals. */
const RENEWAL_INTERVAL_MS = 500
/** Milliseconds a renewal may be late: shorter than the lock, so that none outlives it by much. */
export const RENEWAL_DELAY_MS: number = LOCK_TTL_MS - RENEWAL_INTERVAL_MS

/** Commands of one lock and owner. They may reject or throw. */
export interface LockCommands {
  /** Resolves to false where another owner holds the lock. */
  readonly renew: () => Promise<boolean>
  readonly unlock: () => Promise<void>
}

/** Renews the lock of a store each 500 ms until it is released. */
export class RenewedLock implements StoreLock {
  readonly #commands: LockCommands
  readonly #timer: NodeJS.Timeout
  #isReleased = false

  constructor(commands: LockCommands) {
    this.#commands = commands
    this.#timer = setInterval(() => void this.#renew(), RENEWAL_INTERVAL_MS).unref()
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    clearInterval(this.#timer)
    void this.#unlock()
  }

  async #renew(): Promise<void> {
    try {
      // Somebody else has it: a renewal could only take it from them once they are done.
      if (!(await this.#commands.renew())) clearInterval(this.#timer)
    } catch {
      // The next renewal may succeed.
    }
  }

  async #unlock(): Promise<void> {
    try {
      await this.#commands.unlock()
    } catch {
      // It ends by itself.
    }
  }
}
