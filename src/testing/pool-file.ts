/** The definition of a local user pool in a JSON file. */
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
 * Reads and checks a pool file: `{ $schema?, userPoolId?, port?, cors?, quota?, resourceServers?, clients? }`,
 * as `startUserPool` takes them. `cognito-m2m/schemas/pool.json` is its JSON Schema; `$schema`, which tells
 * editors where that is, is not looked up and left out of the answer.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming file, place and fix, never quoting the file:
 *   secrets may stand in it.
 */
export function readPoolFile(path: string): LocalUserPoolOptions {
  const file = basename(path)
  const content = readJsonFile(path)
  try {
    const { $schema = '', ...options } = readMembers(content, OPTION_NAMES, '')
    if (typeof $schema !== 'string') {
      throw new OptionError('$schema', `is ${describeValue($schema)}: pass the schema's address`)
    }
    readLocalOptions(options)
    return options as LocalUserPoolOptions
  } catch (error) {
    const { option, problem } = error as OptionError
    throw new OptionError(`${file}: ${option}`, problem)
  }
}
