/** Reads files of the command line: regular files and pipes, up to a size limit. */
import { constants, createReadStream, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { TemplateSource } from '../../contract/infra/index.ts'
import { OptionError } from '../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { readInput } from '../terminal/input.ts'
import { quoteFile } from './flags.ts'

/** Size limit of a file. The template reader has lower limits, and reports them with a position. */
const MAX_FILE_BYTES = 20_000_000

/**
 * Reads the text of a file or pipe.
 *
 * @param signal Ends a pending read, also of a pipe without a writer.
 * @param maxBytes Size limit of the file.
 * @throws {OptionError} for `option`.
 * @throws {CommandFailure} if the signal aborts.
 */
export async function readText(
  file: string,
  option: string,
  signal: AbortSignal,
  maxBytes: number = MAX_FILE_BYTES,
): Promise<TemplateSource> {
  try {
    const stream = openStream(file)
    const text = await readInput(stream, { maxBytes, signal, what: file })
    return { file, text }
  } catch (error) {
    const isFailure = error instanceof CommandFailure
    if (isFailure && error.exitCode === EXIT.interrupted) throw error
    const { code } = error as NodeJS.ErrnoException
    const reason = isFailure ? `more than ${maxBytes} bytes` : code
    throw new OptionError(
      option,
      `expected a readable file, got ${quoteFile(file)} (${reason}). Correct the path or the file.`,
    )
  }
}

/**
 * Opens a file. A pipe is opened without blocking and polled: a blocking `open` waits for a writer in a thread, which no
 * signal ends.
 */
export function openStream(file: string): Readable {
  if (!statSync(file).isFIFO()) return createReadStream(file)
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  return new Socket({ fd, readable: true, writable: false })
}
