/** Reads an app by running its module in a child process, within a time limit. */

import { type ChildProcess, spawn } from 'node:child_process'
import { extname, resolve } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { OptionError } from '../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { quoteFile, statIfExists } from '../files/flags.ts'
import type { Inspection, Job } from './inspection.ts'

/** Characters of that line. */
const MAX_MESSAGE = 20_000_000
/** Characters of what a child that fails wrote last. */
const MAX_STDERR = 300

interface ChildLimits {
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
export async function readChildMessage(
  args: readonly string[],
  limits: ChildLimits,
): Promise<string> {
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
    return await waitForMessage(child, limits, done.signal)
  } finally {
    done.abort()
    killProcessGroup(child)
    // Who left the group may hold them.
    for (const stream of child.stdio) stream?.destroy()
  }
}

function waitForMessage(
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
    let message = ''
    let stderr = ''
    errors.setEncoding('utf8').on('data', (text: string) => {
      stderr = `${stderr}${text}`.slice(-MAX_STDERR)
    })
    pipe.setEncoding('utf8').on('data', (text: string) => {
      message += text
      if (text.endsWith('\n')) resolve(message)
      else if (message.length > MAX_MESSAGE) fail('has more routes than can be read')
    })
    child.on('error', ({ message }) => fail(`cannot be run: ${message}`))
    // What it started may hold its pipes open.
    child.on('exit', () => killProcessGroup(child))
    child.on('close', (code, by) => {
      const how = by === null ? `with code ${code}` : `by ${by}`
      fail(`ended its process ${how} before its app was ready${formatStderr(stderr)}`)
    })
  })
}

function formatStderr(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, ' ')
  return words === '' ? '' : `; it wrote: ${words}`
}

/** Ends a child and what it started. Where there are no groups of processes, the child alone. */
export function killProcessGroup(
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

/** Beside this file, whether it was built or not. */
const CHILD_URL = new URL(`./child${extname(import.meta.url)}`, import.meta.url)

interface AppModuleOptions {
  /** What the module is called in messages, `--app` say. */
  readonly option: string
  /** A second module, which exports what `defineScopes` gave. */
  readonly scopes?: string | undefined
  /** Seconds. */
  readonly timeout: number
  /** Ends the child. */
  readonly signal: AbortSignal
}

/**
 * The routes and scopes of the app that a module makes. The module runs: with this process's environment
 * and working directory, its output thrown away, and without keys of a pool. Nothing of it is left behind.
 *
 * @throws {OptionError} for what is no file.
 * @throws {CommandFailure} where the module does not make an app in time.
 */
export async function readAppModule(file: string, options: AppModuleOptions): Promise<Inspection> {
  const { option, scopes, timeout, signal } = options
  const job: Job = {
    name: file,
    module: toFileUrl(file, option),
    ...(scopes === undefined ? {} : { scopes: toFileUrl(scopes, '--scopes') }),
  }
  const args = [...process.execArgv, fileURLToPath(CHILD_URL), JSON.stringify(job)]
  const { failure, inspection } = parseMessage(
    await readChildMessage(args, { name: file, timeout, signal }),
  )
  if (inspection !== undefined) return inspection
  throw new CommandFailure(EXIT.usage, failure ?? `${file} wrote to the pipe of this command`)
}

function toFileUrl(file: string, option: string): string {
  const path = resolve(file)
  if (statIfExists(path)?.isFile() === true) return pathToFileURL(path).href
  throw new OptionError(
    option,
    `expected an existing file, got ${quoteFile(file)}. Correct the path.`,
  )
}

/** Whatever a module may have written there. */
function parseMessage(message: string): {
  readonly failure?: string
  readonly inspection?: Inspection
} {
  try {
    return JSON.parse(message) ?? {}
  } catch {
    return {}
  }
}
