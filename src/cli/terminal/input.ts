/** Reads a stream to its end, up to a size limit: a pipe may never end. */
import type { Readable } from 'node:stream'
import { CommandFailure, EXIT } from '../exit-codes.ts'

export interface InputLimits {
  readonly maxBytes: number
  /** Ends reading and destroys the stream, which would keep the process alive. */
  readonly signal: AbortSignal
  /** Name of the input in messages. */
  readonly what: string
}

/**
 * Reads the text of a stream.
 *
 * @throws {CommandFailure} for more than `maxBytes`, and if the signal aborts. Errors of the stream pass through.
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
        throw new CommandFailure(
          EXIT.usage,
          `${what}: expected at most ${maxBytes} bytes, got more. Pass a shorter input.`,
        )
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}
