/** JSON files that may hold secrets: what is wrong with one is told without quoting it. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { OptionError } from '../core/option-error.ts'

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
