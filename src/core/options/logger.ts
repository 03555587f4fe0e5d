/** Where operators read: structured like the loggers of the frameworks, silent unless given. */

import { isThenable } from '../util/async.ts'
import { describeValue, OptionError } from './validate.ts'

/** Pino's and Fastify's order: details first. `console` fits too. */
export interface Logger {
  /**
   * Optional: which claim of a rejected token is missing or has the wrong type. One line per such
   * request, so unauthenticated callers decide how many there are. `console` prints them; pass an
   * object without `debug` to leave them out.
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
        // There is nowhere left to say it.
      }
    }
  }
  return safe
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for what cannot be written to. */
export function readLogger(value: unknown): Logger | undefined {
  if (value === undefined) return undefined
  const { info, warn, error } = Object(value) as Partial<Record<string, unknown>>
  if ([info, warn, error].every((level) => typeof level === 'function')) return value as Logger
  throw new OptionError(
    'logger',
    `is ${describeValue(value)}: pass an object with info, warn and error`,
  )
}
