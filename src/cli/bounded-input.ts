/** A stream read to its end, within a bound: a pipe may never end. */
import { CommandFailure, EXIT } from './exit-codes.ts'

/**
 * The text of a stream.
 *
 * @throws {CommandFailure} for more than `maxBytes`, and when the signal ends the command.
 */
export async function readInput(
  stream: NodeJS.ReadStream | NodeJS.ReadableStream,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  const interrupted = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(new CommandFailure(EXIT.interrupted, 'interrupted'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
  })
  // Nobody may be waiting any more when it comes.
  interrupted.catch(() => {})
  const all = (async () => {
    for await (const chunk of stream) {
      const part = Buffer.from(chunk)
      bytes += part.byteLength
      if (bytes > maxBytes) {
        throw new CommandFailure(EXIT.usage, `standard input holds more than ${maxBytes} bytes`)
      }
      chunks.push(part)
    }
    return Buffer.concat(chunks).toString('utf8')
  })()
  return Promise.race([all, interrupted])
}
