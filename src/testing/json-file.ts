/** Reads JSON files that may contain secrets: messages never quote the content. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { OptionError } from '../core/options/validate.ts'

/** @throws {OptionError} `ERR_OPTION_INVALID`, with the file and position. */
export function readJsonFile(path: string): unknown {
  const file = basename(path)
  return parse(readText(path, file), file)
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(
      file,
      `expected a readable JSON file, got ${code}. Correct the path or the permissions.`,
    )
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const position = jsonPosition(text, error as Error)
    throw new OptionError(
      position === undefined ? file : `${file}:${position}`,
      'expected JSON, got a syntax error. Correct the file.',
    )
  }
}

/**
 * Gets `line:column` of a syntax error. The parser's message quotes the text, so only the position is taken
 * from it. For short texts the message has no position.
 */
export function jsonPosition(text: string, { message }: Error): string | undefined {
  const [, offset] = / at position (\d+)/.exec(message) ?? []
  const isTruncated = message === 'Unexpected end of JSON input'
  if (offset === undefined && !isTruncated) return undefined
  const before = text.slice(0, isTruncated ? text.length : Number(offset)).split('\n')
  return `${before.length}:${(before.at(-1) as string).length + 1}`
}
