/** Reads the definition of a local user pool from a JSON file. */
import { basename } from 'node:path'
import { describeValue, OptionError, readMembers } from '../core/options/validate.ts'
import { readJsonFile } from './json-file.ts'
import { type LocalUserPoolOptions, readLocalOptions } from './local-user-pool.ts'

const OPTION_NAMES = [
  '$schema',
  'userPoolId',
  'port',
  'cors',
  'quota',
  'resourceServers',
  'clients',
]

/**
 * Reads and validates a pool file with these options of `startUserPool`: `userPoolId`, `port`, `cors`,
 * `quota`, `resourceServers`, `clients`. Its JSON Schema is `cognito-m2m/schemas/pool.json`. The member
 * `$schema` is for editors, and ignored.
 *
 * @param path Path of the JSON file.
 * @returns Options for `startUserPool`.
 * @throws {OptionError} `ERR_OPTION_INVALID` with file, position and fix. It never shows a client secret.
 */
export function readPoolFile(path: string): LocalUserPoolOptions {
  const file = basename(path)
  const content = readJsonFile(path)
  try {
    const { $schema = '', ...options } = readMembers(content, OPTION_NAMES, '')
    if (typeof $schema !== 'string') {
      throw new OptionError(
        '$schema',
        `expected the URL of the schema, got ${describeValue($schema)}. Pass a string or remove the member.`,
      )
    }
    readLocalOptions(options)
    return options as LocalUserPoolOptions
  } catch (error) {
    const { option, problem } = error as OptionError
    throw new OptionError(`${file}: ${option}`, problem)
  }
}
