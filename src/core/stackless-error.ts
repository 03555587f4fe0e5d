/** Errors that are answers or facts, not faults: no stack is collected, shown or logged. */

/**
 * An error without a stack. Collecting one would cost a stranger's request more than refusing it
 * does, and loggers and default error handlers print whatever stack there is.
 */
export class StacklessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = limit
  }

  /** To be called last in a constructor: V8 makes every member behind a deleted one three times slower. */
  protected dropStack(): void {
    Reflect.deleteProperty(this, 'stack')
  }
}
