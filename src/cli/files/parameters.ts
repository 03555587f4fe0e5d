/** Values for parameters and variables of templates, as they are given on the command line. */
import { OptionError } from '../../core/options/validate.ts'

/** @param given `NAME=VALUE` each. */
export function readParameters(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=')
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
      // Not repeated: what has no name may be a value.
      throw new OptionError('--parameter', 'has no name: write NAME=VALUE')
    }),
  )
}
