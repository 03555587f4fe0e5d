/** Errors that are answers or facts, not faults: no stack is collected, shown or logged. */
import { runInNewContext } from 'node:vm'

/**
 * The Error constructor of a realm of its own, with a stack trace limit of 0. A constructor heeds the limit
 * of its own realm. This realm's limit is the app's, and is read-only under `--frozen-intrinsics`.
 */
const ForeignError = runInNewContext('Error.stackTraceLimit = 0; Error') as ErrorConstructor

/**
 * An error without a stack. Collecting one would cost more than the rest of a refused request. Loggers and
 * default error handlers print whatever stack there is.
 */
export class StacklessError extends Error {
  /** To be called last in a constructor: V8 makes every member behind a deleted one three times slower. */
  protected dropStack(): void {
    Reflect.deleteProperty(this, 'stack')
  }
}

// `super()` now calls the foreign constructor. Instances still inherit from this realm's Error.prototype.
Object.setPrototypeOf(StacklessError, ForeignError)
