/** The logger option: structured like the loggers of the frameworks. Nothing is logged without one. */

import { isThenable } from '../util/async.ts'
import { describeValue, OptionError } from './validate.ts'

/** A logger in the order of Pino and Fastify: details first. `console` works too. */
export interface Logger {
  /**
   * Optional. Logs which claim of a rejected token is missing or has the wrong type. There is one line per such
   * request, so unauthenticated callers control their number. `console` prints them; pass an object without
   * `debug` to disable them.
   */
  debug?(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A logger with every level. */
export type SafeLogger = Required<Logger>

/** Wraps a logger so that one that throws harms neither a request nor a background refresh. */
export function safeLogger(logger: Logger | undefined): SafeLogger {
  const safe = {} as { [Level in keyof SafeLogger]: SafeLogger[Level] }
  for (const level of LEVELS) {
    safe[level] = (details, message) => {
      try {
        const written: unknown = logger?.[level]?.(details, message)
        if (isThenable(written)) written.then(undefined, () => {})
      } catch {
        // A logger that fails cannot report its own failure.
      }
    }
  }
  return safe
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for a value that is not a logger. */
export function readLogger(value: unknown): Logger | undefined {
  if (value === undefined) return undefined
  const { info, warn, error } = Object(value) as Partial<Record<string, unknown>>
  if ([info, warn, error].every((level) => typeof level === 'function')) return value as Logger
  throw new OptionError(
    'logger',
    `expected an object with the methods info, warn and error, got ${describeValue(value)}. Pass a logger.`,
  )
}
