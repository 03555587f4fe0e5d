/** JSON files that may hold secrets: what is wrong with one is told without quoting it. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { OptionError } from '../core/options/validate.ts'

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming file and place. */
export function readJsonFile(path: string): unknown {
  const file = basename(path)
  return parse(readText(path, file), file)
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
    const position = jsonPosition(text, error as Error)
    throw new OptionError(
      position === undefined ? file : `${file}:${position}`,
      'is not valid JSON: correct it there',
    )
  }
}

/**
 * `line:column` of a syntax error. The parser's message quotes the text, so only the position is taken
 * from it. It names none in short texts.
 */
export function jsonPosition(text: string, { message }: Error): string | undefined {
  const [, offset] = / at position (\d+)/.exec(message) ?? []
  const ended = message === 'Unexpected end of JSON input'
  if (offset === undefined && !ended) return undefined
  const before = text.slice(0, ended ? text.length : Number(offset)).split('\n')
  return `${before.length}:${(before.at(-1) as string).length + 1}`
}
