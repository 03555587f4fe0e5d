/** Asks a person for a secret, on a terminal that shows nothing of it. */
import { CommandFailure, EXIT } from './exit-codes.ts'

/** What is read from, as much of a terminal as is needed. */
export interface Keyboard extends NodeJS.ReadableStream {
  setRawMode(on: boolean): unknown
  /** Lets the process end although the terminal could still say something. */
  unref?(): unknown
}

/** Longest secret in characters; what is typed or pasted beyond is left out. */
const LONGEST = 65_536

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'
/** What arrow keys and terminals that bracket a paste send (ECMA-48 CSI), and single escapes. */
const SEQUENCES = /\u001b(?:\[[\d;?]*[ -/]*[@-~]?|O.)?/g

/**
 * What was typed until Enter; undefined where the input ends before anything was.
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
  say(question)
  keyboard.setRawMode(true)
  try {
    return await typed(keyboard, signal)
  } finally {
    keyboard.setRawMode(false)
    keyboard.pause()
    keyboard.unref?.()
    say('\n')
  }
}

function typed(keyboard: Keyboard, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Whole characters: backspace takes one of them, not half.
    let line: string[] = []
    const finish = (settle: () => void): void => {
      keyboard.removeListener('data', read)
      keyboard.removeListener('end', end)
      keyboard.removeListener('error', end)
      signal.removeEventListener('abort', interrupt)
      settle()
    }
    const interrupt = (): void =>
      finish(() => reject(new CommandFailure(EXIT.interrupted, 'interrupted')))
    const end = (): void =>
      finish(() => resolve(line.length === 0 ? undefined : line.join('')))
    const read = (chunk: Buffer | string): void => {
      for (const key of chunk.toString().replaceAll(SEQUENCES, '')) {
        if (key === CTRL_C) return interrupt()
        if (key === '\r' || key === '\n' || key === CTRL_D) return end()
        if (key === '\u007f' || key === '\b') line.pop()
        else if (key === CTRL_U) line = []
        else if (key >= ' ' && line.length < LONGEST) line.push(key)
      }
    }
    if (signal.aborted) return interrupt()
    keyboard.on('data', read)
    keyboard.on('end', end)
    keyboard.on('error', end)
    signal.addEventListener('abort', interrupt)
    keyboard.resume()
  })
}
