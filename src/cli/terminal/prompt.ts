/** Prompts for a secret without echo. */
import { StringDecoder } from 'node:string_decoder'
import { CommandFailure, EXIT } from '../exit-codes.ts'

/** The part of a terminal that the prompt reads. */
export interface Keyboard extends NodeJS.ReadableStream {
  setRawMode(on: boolean): unknown
  /** Lets the process exit while the terminal is open. */
  unref?(): unknown
}

/** Longest secret in characters. Further input is ignored. */
const MAX_SECRET_LENGTH = 65_536

const CTRL_C = '\u0003'
/** Ctrl-C, Ctrl-D and Enter. */
const END_KEYS: readonly string[] = [CTRL_C, '\u0004', '\r', '\n']
const ERASE_KEYS: readonly string[] = ['\u007f', '\b']
const ESCAPE = '\u001b'
const CTRL_U = '\u0015'
/** Escape sequences of arrow keys and bracketed paste (ECMA-48 CSI), and single escapes. */
const ESCAPE_SEQUENCES = new RegExp(`${ESCAPE}(?:\\[[\\d;?]*[ -/]*[@-~]?|O.)?`, 'g')

/**
 * Reads input until Enter, Ctrl-D or the end of the stream. Restores the terminal mode in every case.
 *
 * @returns Undefined for empty input.
 * @throws {CommandFailure} `interrupted` for Ctrl-C, and if the signal aborts.
 */
export async function readHidden(
  keyboard: Keyboard,
  write: (text: string) => void,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Echo is off before the question is visible.
  keyboard.setRawMode(true)
  write(question)
  try {
    return await readLine(keyboard, signal)
  } finally {
    keyboard.setRawMode(false)
    keyboard.pause()
    keyboard.unref?.()
    write('\n')
  }
}

function readLine(keyboard: Keyboard, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Whole code points: backspace must not remove half of one.
    let line: string[] = []
    const decoder = new StringDecoder('utf8')
    const finish = (settle: () => void): void => {
      keyboard.removeListener('data', read)
      keyboard.removeListener('end', end)
      keyboard.removeListener('error', end)
      signal.removeEventListener('abort', interrupt)
      settle()
    }
    const interrupt = (): void =>
      finish(() => reject(new CommandFailure(EXIT.interrupted, 'interrupted')))
    const end = (): void => finish(() => resolve(line.length === 0 ? undefined : line.join('')))
    const read = (chunk: Buffer): void => {
      const keys = [...decoder.write(chunk).replaceAll(ESCAPE_SEQUENCES, '')]
      const last = keys.findIndex((key) => END_KEYS.includes(key))
      for (const key of last === -1 ? keys : keys.slice(0, last)) line = editLine(line, key)
      if (keys[last] === CTRL_C) interrupt()
      else if (last !== -1) end()
    }
    keyboard.on('data', read)
    keyboard.on('end', end)
    keyboard.on('error', end)
    signal.addEventListener('abort', interrupt)
    if (signal.aborted) interrupt()
    else keyboard.resume()
  })
}

/** Applies one key. Changes the array in place, because a paste has many keys. */
function editLine(line: string[], key: string): string[] {
  if (key === CTRL_U) return []
  if (ERASE_KEYS.includes(key)) line.pop()
  else if (key >= ' ' && line.length < MAX_SECRET_LENGTH) line.push(key)
  return line
}
