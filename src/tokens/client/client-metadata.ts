/** The option `clientMetadata` of a token client and of its calls. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'

/**
 * Characters as JSON. A form encodes each of them as up to three, and token endpoints accept forms of 16 KiB. AWS
 * documents no limit.
 */
const MAX_METADATA_LENGTH = 4096

/**
 * Reads client metadata.
 *
 * @returns JSON with sorted names: the same text for the same metadata. Undefined for an empty object.
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readClientMetadata(value: unknown, optionPath: string): string | undefined {
  const names = Object.keys(Object(value) as object)
  const members = readMembers(value, names, optionPath)
  for (const name of names) {
    if (typeof members[name] === 'string') continue
    throw new OptionError(
      `${optionPath}.${/^[\w$.-]+$/.test(name) ? name : describeValue(name)}`,
      `expected a string, got ${describeValue(members[name])}. Convert it to a string.`,
    )
  }
  if (names.length === 0) return undefined
  const text = JSON.stringify(Object.fromEntries(names.sort().map((it) => [it, members[it]])))
  if (text.length <= MAX_METADATA_LENGTH) return text
  throw new OptionError(
    optionPath,
    `expected at most ${MAX_METADATA_LENGTH} characters as JSON, got ${text.length}. Shorten it, or pass a key that the trigger looks up.`,
  )
}
