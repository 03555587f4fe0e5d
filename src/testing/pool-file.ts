/** The definition of a local user pool in a JSON file. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { OptionError, readMembers } from '../core/option-error.ts'
import { type LocalUserPoolOptions, readLocalOptions } from './local-user-pool.ts'

const MEMBERS = ['userPoolId', 'port', 'cors', 'quota', 'resourceServers', 'clients']

/**
 * Reads and checks a pool file: `{ userPoolId?, port?, cors?, quota?, resourceServers?, clients? }`, as
 * `startUserPool` takes them.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming file, place and fix, never quoting the file:
 *   secrets may stand in it.
 */
export function readPoolFile(path: string): LocalUserPoolOptions {
  const file = basename(path)
  const options = parse(readText(path, file), file)
  try {
    readMembers(options, MEMBERS, '')
    readLocalOptions(options)
  } catch (error) {
    const { option, problem } = error as OptionError
    throw new OptionError(`${file}: ${option}`, problem)
  }
  return options as LocalUserPoolOptions
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(file, `cannot be read (${code}): name a readable JSON file`)
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the text, so only the position is taken from it.
    // It names none where the text ends too early, and in short texts.
    const { message } = error as Error
    const [, offset] = / at position (\d+)/.exec(message) ?? []
    const ended = message === 'Unexpected end of JSON input'
    const before = text.slice(0, ended ? text.length : Number(offset ?? 0)).split('\n')
    const place = `${before.length}:${(before.at(-1) as string).length + 1}`
    throw new OptionError(
      offset === undefined && !ended ? file : `${file}:${place}`,
      'is not valid JSON: correct it there',
    )
  }
}
