/** A security primitive: frameworks take some thrown values (`undefined`, `'route'`) for "go on". */
import { InternalError } from './internal-error.ts'

/** Returns an error as it is, and an {@link InternalError} for any other value that was thrown. */
export function ensureError(thrown: unknown, message: string): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A Proxy may throw when it is asked for its prototype.
  }
  return new InternalError('ERR_INTERNAL', message)
}
