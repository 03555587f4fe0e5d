/** How a plugin fails: always with an error. */
import { ensureError } from './ensure-error.ts'

/**
 * Runs a plugin so that it always rejects with an error: Fastify takes a falsy rejection for success,
 * and the app would start without it, open.
 */
export async function rejecting(register: () => Promise<void> | void): Promise<void> {
  try {
    await register()
  } catch (error) {
    throw ensureError(error, 'cognito-m2m: registration failed')
  }
}
