/** A child process that tells one line on a pipe of its own, within a time limit. */
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { CommandFailure, EXIT } from '../exit-codes.ts'

/** Characters of that line. */
const MOST_TOLD = 20_000_000
/** Characters of what a child that fails wrote last. */
const LAST_WORDS = 300

export interface ChildLimits {
  /** What failures call the module that it runs. */
  readonly name: string
  /** Seconds. */
  readonly timeout: number
  /** Ends the child. */
  readonly signal: AbortSignal
}

/**
 * Runs Node and answers the first line that the child writes to its file descriptor 3. The child, and what
 * it started, is ended then; its standard output is thrown away.
 *
 * @param args Of Node.
 * @throws {CommandFailure} where no line came in time.
 */
export async function lineOfChild(args: readonly string[], limits: ChildLimits): Promise<string> {
  const { signal } = limits
  if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const done = new AbortController()
  try {
    return await lineOf(child, limits, done.signal)
  } finally {
    done.abort()
    endGroup(child)
    // Who left the group may hold them.
    for (const stream of child.stdio) stream?.destroy()
  }
}

function lineOf(
  child: ChildProcess,
  { name, timeout, signal }: ChildLimits,
  done: AbortSignal,
): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const fail = (problem: string): void => {
      reject(new CommandFailure(EXIT.usage, `${name} ${problem}`))
    }
    const late = `had no app ready after ${timeout} s and was stopped: --timeout allows more`
    const timer = setTimeout(fail, timeout * 1000, late)
    done.addEventListener('abort', () => clearTimeout(timer))
    const interrupt = (): void => reject(new CommandFailure(EXIT.interrupted, 'interrupted'))
    signal.addEventListener('abort', interrupt, { signal: done })
    const [, , errors, pipe] = child.stdio as unknown as [null, null, Readable, Readable]
    let told = ''
    let noise = ''
    errors.setEncoding('utf8').on('data', (text: string) => {
      noise = `${noise}${text}`.slice(-LAST_WORDS)
    })
    pipe.setEncoding('utf8').on('data', (text: string) => {
      told += text
      if (text.endsWith('\n')) resolve(told)
      else if (told.length > MOST_TOLD) fail('has more routes than can be read')
    })
    child.on('error', ({ message }) => fail(`cannot be run: ${message}`))
    // What it started may hold its pipes open.
    child.on('exit', () => endGroup(child))
    child.on('close', (code, by) => {
      const how = by === null ? `with code ${code}` : `by ${by}`
      fail(`ended its process ${how} before its app was ready${lastWords(noise)}`)
    })
  })
}

function lastWords(noise: string): string {
  const words = noise.trim().replaceAll(/\s+/g, ' ')
  return words === '' ? '' : `; it wrote: ${words}`
}

/** Ends a child and what it started. Where there are no groups of processes, the child alone. */
export function endGroup(
  child: Pick<ChildProcess, 'pid' | 'kill'>,
  platform: string = process.platform,
): void {
  const { pid } = child
  if (pid === undefined) return
  if (platform === 'win32') {
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}
