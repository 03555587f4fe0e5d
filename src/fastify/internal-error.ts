/** What is answered and thrown in place of faults that must not be shown, or cannot be thrown on. */

/** Answered with 500. The fault itself is in the log. */
export class InternalError extends Error {
  override readonly name = 'InternalError'
  readonly code: 'ERR_OPTION_INVALID' | 'ERR_INTERNAL'
  readonly statusCode = 500

  constructor(code: InternalError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Runs a plugin so that it always rejects with an error: Fastify takes a falsy rejection for success,
 * and the app would start without it, open.
 */
export async function rejecting(register: () => Promise<void> | void): Promise<void> {
  try {
    await register()
  } catch (error) {
    throw error instanceof Error
      ? error
      : new InternalError('ERR_INTERNAL', 'cognito-m2m: registration failed')
  }
}
