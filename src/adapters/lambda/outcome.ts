/** What a guard decided, in API Gateway's terms: let in, denied, or an error that is the answer. */
import { AuthError, type AuthErrorCode, StacklessError } from '../../core/errors.ts'
import type { Logger } from '../../core/options/logger.ts'

/** What was granted, or why nothing was. */
export type Outcome<Granted> = { readonly granted: Granted } | { readonly code: AuthErrorCode }

/**
 * Thrown: API Gateway makes 401 of the message `Unauthorized` and 500 of any other, and keeps
 * neither. Lambda's runtime reads the stack of what is thrown, so this one has a line of its own.
 */
export class AuthorizerError extends StacklessError {
  override readonly name = 'AuthorizerError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.stack = `${this.name}: ${message}`
  }
}

/** @throws {AuthorizerError} for what is no 403: that alone is a Deny. */
export async function outcomeOf<Granted>(
  decide: () => Promise<Granted>,
  logger: Logger,
): Promise<Outcome<Granted>> {
  try {
    return { granted: await decide() }
  } catch (error) {
    if (!(error instanceof AuthError)) {
      // Only code of the owner's gets here, say an injected clock: its error is for the log.
      logger.error({ err: error }, 'cognito-m2m: access cannot be decided')
      throw new AuthorizerError('ERR_INTERNAL', 'Access cannot be decided')
    }
    const { code, statusCode, message, cause } = error as AuthError
    if (statusCode === 403) return { code }
    throw statusCode === 503
      ? new AuthorizerError(code, message, cause)
      : new AuthorizerError(code, 'Unauthorized')
  }
}
