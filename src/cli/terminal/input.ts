/** A stream read to its end, within a bound: a pipe may never end. */
import type { Readable } from 'node:stream'
import { CommandFailure, EXIT } from '../exit-codes.ts'

export interface InputLimits {
  readonly maxBytes: number
  /** Ends the reading, and the stream: one that is left as it is keeps the process from ending. */
  readonly signal: AbortSignal
  /** What is read, for the message. */
  readonly what: string
}

/**
 * The text of a stream.
 *
 * @throws {CommandFailure} for more than `maxBytes`, and when the signal ends the command; else what
 *   the stream failed with.
 */
export async function readInput(
  stream: Readable,
  { maxBytes, signal, what }: InputLimits,
): Promise<string> {
  const interrupt = (): void =>
    void stream.destroy(new CommandFailure(EXIT.interrupted, 'interrupted'))
  if (signal.aborted) interrupt()
  signal.addEventListener('abort', interrupt)
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) {
        throw new CommandFailure(EXIT.usage, `${what} holds more than ${maxBytes} bytes`)
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}
