/** Validates how keys are fetched and kept. */
import type { KeyStoreTiming } from '../keys/key-store.ts'
import { OptionError, readMembers, readNumber, show } from './validate.ts'

/** Durations in seconds. */
export interface KeyStoreOptions {
  /** `'require'` refuses to start without keys; default `'warn'` logs and goes on. */
  readonly startup?: 'warn' | 'require'
  /** Default 300 (5 minutes), ± 10 %: a revoked key is still trusted for up to 330 s. At most 86,400. */
  readonly refreshInterval?: number
  /** Default 5: an unknown kid earns a fetch so often, once three were spent. At most 300. */
  readonly cooldown?: number
  /** Default 86,400 (a day): how long keys are trusted while none can be fetched. At most 604,800. */
  readonly maxStale?: number
  /** Default 3, for a whole fetch. At most 30. */
  readonly fetchTimeout?: number
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readTiming(value: unknown = {}): KeyStoreTiming {
  const durations = ['refreshInterval', 'cooldown', 'maxStale', 'fetchTimeout']
  const members = readMembers(value, ['startup', ...durations], 'keyStore')
  const { startup = 'warn' } = members
  if (startup !== 'warn' && startup !== 'require') {
    throw new OptionError('keyStore.startup', `is ${show(startup)}: use 'warn' or 'require'`)
  }
  const read = (key: string, fallback: number, max: number): number =>
    1000 * readNumber(members, key, 'keyStore', { fallback, min: 0.001, max, unit: 'seconds' })
  return {
    startup,
    refreshInterval: read('refreshInterval', 300, 86_400),
    cooldown: read('cooldown', 5, 300),
    maxStale: read('maxStale', 86_400, 604_800),
    fetchTimeout: read('fetchTimeout', 3, 30),
  }
}
