/** Asks a person for a secret, on a terminal that shows nothing of it. */
import { StringDecoder } from 'node:string_decoder'
import { CommandFailure, EXIT } from '../exit-codes.ts'

/** What is read from, as much of a terminal as is needed. */
export interface Keyboard extends NodeJS.ReadableStream {
  setRawMode(on: boolean): unknown
  /** Lets the process end although the terminal could still say something. */
  unref?(): unknown
}

/** Longest secret in characters; what is typed or pasted beyond is left out. */
const MAX_SECRET_LENGTH = 65_536

const CTRL_C = '\u0003'
/** Enter and Ctrl-D as well. */
const END_KEYS: readonly string[] = [CTRL_C, '\u0004', '\r', '\n']
const ERASE_KEYS: readonly string[] = ['\u007f', '\b']
const ESCAPE = '\u001b'
const CTRL_U = '\u0015'
/** What arrow keys and terminals that bracket a paste send (ECMA-48 CSI), and single escapes. */
const ESCAPE_SEQUENCES = new RegExp(`${ESCAPE}(?:\\[[\\d;?]*[ -/]*[@-~]?|O.)?`, 'g')

/**
 * What was typed until Enter, Ctrl-D or the end; undefined where that is nothing.
 *
 * The terminal is left as it was, however this ends.
 *
 * @throws {CommandFailure} `interrupted` for Ctrl-C and when the signal ends the command.
 */
export async function readHidden(
  keyboard: Keyboard,
  say: (text: string) => void,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Once the question is seen, nothing that is typed is.
  keyboard.setRawMode(true)
  say(question)
  try {
    return await readLine(keyboard, signal)
  } finally {
    keyboard.setRawMode(false)
    keyboard.pause()
    keyboard.unref?.()
    say('\n')
  }
}

function readLine(keyboard: Keyboard, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Whole characters: backspace takes one of them, not half.
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

/** Changes the line where that is cheap: a paste comes as many keys. */
function editLine(line: string[], key: string): string[] {
  if (key === CTRL_U) return []
  if (ERASE_KEYS.includes(key)) line.pop()
  else if (key >= ' ' && line.length < MAX_SECRET_LENGTH) line.push(key)
  return line
}
