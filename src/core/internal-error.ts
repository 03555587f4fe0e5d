/** What is answered in place of a fault that must not be shown. */
import { StacklessError } from './stackless-error.ts'

/** Answered with 500. The fault itself is in the log. */
export class InternalError extends StacklessError {
  override readonly name = 'InternalError'
  readonly code: 'ERR_OPTION_INVALID' | 'ERR_INTERNAL'
  readonly statusCode = 500
  /** The same, for error handlers that read no `statusCode`. */
  readonly status = 500
  readonly headers: Readonly<Record<string, string>> = { 'cache-control': 'no-store' }

  constructor(code: InternalError['code'], message: string) {
    super(message)
    this.code = code
    this.dropStack()
  }

  /** The response body. */
  toJSON(): object {
    const { statusCode, code, message } = this
    return { statusCode, code, error: 'Internal Server Error', message }
  }
}
