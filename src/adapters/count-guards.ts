/** Finds apps that create guards per request: each one is compiled again, and its mistakes show late. */
import type { Logger } from '../core/options/logger.ts'

/** More than an app has routes. */
const MAX_GUARDS = 1000

/** @returns A function to call for each guard that the app creates. It logs one warning. */
export function countGuards(logger: Pick<Logger, 'warn'>): () => void {
  let count = 0
  return () => {
    count += 1
    if (count !== MAX_GUARDS) return
    logger.warn(
      { count },
      'cognito-m2m: many guards were created; create each guard once, outside of handlers',
    )
  }
}
