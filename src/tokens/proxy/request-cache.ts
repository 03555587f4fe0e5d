/**
 * Requests that were read before and served: callers repeat themselves to the byte, and reading costs
 * more than everything else about a held token. What it takes is that their bytes, a secret among
 * them, stay in this process's memory, where their tokens are too; so only what Cognito took stays.
 */
import { BoundedMap } from './bounded-map.ts'
import {
  type IncomingTokenRequest,
  type ReadError,
  readTokenRequest,
  type TokenRequest,
} from './request.ts'

/** The spelling that nearly all send; others are read each time. */
const FORM = 'application/x-www-form-urlencoded'
const MAX_REQUESTS = 1000
/** Bytes of a form; longer ones are read each time. */
const MAX_BYTES = 1024

/** See the module. */
export class KnownRequests {
  readonly #known = new BoundedMap<TokenRequest>(MAX_REQUESTS)
  /** Those that come from it, or go to it: told without putting their key together again. */
  readonly #kept = new WeakSet<TokenRequest>()

  /** @returns The same object for the same bytes, once they are {@link keep kept}. */
  read(incoming: IncomingTokenRequest): TokenRequest | ReadError {
    const key = keyOf(incoming)
    const known = key === undefined ? undefined : this.#known.get(key)
    return known ?? readTokenRequest(incoming)
  }

  /** @param request What `incoming` was read as, and Cognito's token was the answer. */
  keep(incoming: IncomingTokenRequest, request: TokenRequest): void {
    const key = this.#kept.has(request) ? undefined : keyOf(incoming)
    if (key === undefined) return
    this.#known.set(key, request)
    this.#kept.add(request)
  }
}

/** All that is read, and nothing else has it: no header line has a line break in it. */
function keyOf({ contentType, authorization, body }: IncomingTokenRequest): string | undefined {
  if (contentType !== FORM || !Buffer.isBuffer(body)) return undefined
  if (body.length > MAX_BYTES) return undefined
  if (authorization === undefined) return `-\n${body.toString('latin1')}`
  if (typeof authorization !== 'string') return undefined
  return `+${authorization}\n${body.toString('latin1')}`
}
