/** The app client's secret: given, or asked for, and asked for again once it was refused. */
import { TokenClientError } from './errors.ts'

/** Milliseconds the owner's function may take. */
const ASK_TIMEOUT = 5000
/** Milliseconds between two questions that a refused secret causes. */
const ASK_AGAIN = 30_000

/** A secret, or a function that tells it: from Secrets Manager, SSM, Vault. */
export type SecretSource = string | (() => string | Promise<string>)

/** Holds what is believed to be the secret. */
export class ClientSecret {
  readonly #source: SecretSource
  readonly #elapsed: () => number
  #held: string | undefined
  #asking: Promise<string> | undefined
  #notBefore = 0

  /** @param elapsed Milliseconds that never run back. */
  constructor(source: SecretSource, elapsed: () => number) {
    this.#source = source
    this.#elapsed = elapsed
    this.#held = typeof source === 'string' ? source : undefined
  }

  /** @throws {TokenClientError} `ERR_CLIENT_SECRET_UNAVAILABLE`. */
  async get(): Promise<string> {
    return this.#held ?? this.#ask()
  }

  /**
   * Another secret than the refused one, where there is one: it may have been rotated.
   *
   * @returns undefined where there is none, or it was asked for less than 30 s ago.
   */
  async insteadOf(refused: string): Promise<string | undefined> {
    if (this.#held === refused && this.#mayAskAgain()) {
      // A failed question changes nothing: the refusal is what the caller has to be told.
      await Promise.allSettled([this.#ask()])
    }
    return this.#held === refused ? undefined : this.#held
  }

  #mayAskAgain(): boolean {
    if (typeof this.#source === 'string') return false
    if (this.#asking !== undefined) return true
    const now = this.#elapsed()
    if (now < this.#notBefore) return false
    this.#notBefore = now + ASK_AGAIN
    return true
  }

  /** One question at a time, whoever waits for the answer. */
  #ask(): Promise<string> {
    this.#asking ??= askOwner(this.#source as () => string | Promise<string>)
      .then((secret) => {
        this.#held = secret
        return secret
      })
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }
}

/** What the owner's function throws stays out: it may quote what it asked for. */
async function askOwner(source: () => string | Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ASK_TIMEOUT)
  })
  try {
    const secret: unknown = await Promise.race([(async () => source())(), late])
    if (typeof secret === 'string' && secret !== '') return secret
  } catch {
    // Told below.
  } finally {
    clearTimeout(timer)
  }
  throw new TokenClientError('ERR_CLIENT_SECRET_UNAVAILABLE')
}
