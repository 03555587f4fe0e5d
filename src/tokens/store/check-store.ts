/** A store that is none is told when it is given, not at the first outage it would look like. */
import { OptionError, show } from '../../core/options/validate.ts'

const METHODS = ['get', 'set', 'delete', 'invalidate', 'lock', 'unlock', 'close'] as const

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming `store`. */
export function checkStore(store: unknown): void {
  const members = (typeof store === 'object' && store !== null ? store : {}) as Record<
    string,
    unknown
  >
  const missing = METHODS.find((method) => typeof members[method] !== 'function')
  if (missing !== undefined || typeof members['shared'] !== 'boolean') {
    const what = missing === undefined ? 'a boolean `shared`' : `a method \`${missing}\``
    throw new OptionError(
      'store',
      `is ${show(store)} without ${what}: pass memoryStore(), redisStore({ redis }) or a store of your own`,
    )
  }
}
