/** The verified token of each request that a guard let pass. Adapters return it from `getAuth`. */
import { OptionError } from '../core/options/validate.ts'
import type { VerifiedToken } from '../core/token/verified-token.ts'

/** Other code may set or change the properties of a request. Only an adapter writes here. */
export class RequestAuth {
  readonly #tokens = new WeakMap<object, VerifiedToken | null>()
  readonly #missing: string

  /** @param missing The message of the error for a request that no guard let pass, with the fix. */
  constructor(missing: string) {
    this.#missing = missing
  }

  /** Removes the token that an earlier guard set: a rejected request must keep none. */
  clear(request: object): void {
    this.#tokens.delete(request)
  }

  /** @param token Null on a public route, or on an optional one without a token. */
  set(request: object, token: VerifiedToken | null): void {
    this.#tokens.set(request, token)
  }

  /**
   * @throws {OptionError} `ERR_OPTION_INVALID` if no guard let the request pass, or if it has no token and
   *   `optional` is not set.
   */
  get(request: object, options?: { readonly optional: true }): VerifiedToken | null {
    const token = this.#tokens.get(request)
    if (token === undefined) throw new OptionError('getAuth', this.#missing)
    if (token === null && options?.optional !== true) {
      throw new OptionError(
        'getAuth',
        'the request has no token. Pass { optional: true } on routes where the token is optional.',
      )
    }
    return token
  }
}
