/** Reads an app by running its module in a child process, within a time limit. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { OptionError, omitUndefined } from '../../core/options/validate.ts'
import { resolvePackageModule } from '../../core/util/package-files.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { quoteFile, statIfExists } from '../files/flags.ts'
import type { Inspection, Job } from './inspection.ts'

/** Longest message of the child in characters. */
const MAX_MESSAGE = 20_000_000
/** Longest end of standard error in a failure, in characters. */
const MAX_STDERR = 300

interface ChildLimits {
  /** Name of the module in failures. */
  readonly name: string
  /** Seconds. */
  readonly timeout: number
  /** Ends the child. */
  readonly signal: AbortSignal
}

/**
 * Runs Node and returns the first line that the child writes to its file descriptor 3. Then kills the child
 * and its process group. Standard output is discarded.
 *
 * @param args Arguments of Node.
 * @throws {CommandFailure} if no line arrives in time.
 */
export async function readChildMessage(
  args: readonly string[],
  limits: ChildLimits,
): Promise<string> {
  const { signal } = limits
  if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // A separate process group, so that its children end with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const done = new AbortController()
  try {
    return await waitForMessage(child, limits, done.signal)
  } finally {
    done.abort()
    killProcessGroup(child)
    // A process outside the group may keep the streams open.
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
      reject(new CommandFailure(EXIT.usage, `${name}: ${problem}`))
    }
    const late = `expected an app within ${timeout} s, got none. Increase --timeout.`
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
      else if (message.length > MAX_MESSAGE)
        fail(`expected at most ${MAX_MESSAGE} characters of routes, got more. Split the app.`)
    })
    child.on('error', ({ message }) => fail(`cannot run Node: ${message}`))
    // Its children may keep its pipes open.
    child.on('exit', () => killProcessGroup(child))
    child.on('close', (code, signalName) => {
      const reason = signalName === null ? `with code ${code}` : `on ${signalName}`
      fail(`the process exited ${reason} before the app was ready${formatStderr(stderr)}`)
    })
  })
}

function formatStderr(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, ' ')
  return words === '' ? '' : `; standard error: ${words}`
}

/** Kills a child and its process group. Windows has no process groups, so only the child ends there. */
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
    // The group has no process.
  }
}

const CHILD = resolvePackageModule('cli/app-loader/child')

interface AppModuleOptions {
  /** Option of the module in messages, for example `--app`. */
  readonly option: string
  /** A second module, which exports results of `defineScopes`. */
  readonly scopes?: string | undefined
  /** Seconds. */
  readonly timeout: number
  /** Ends the child. */
  readonly signal: AbortSignal
}

/**
 * Reads the routes and scopes of the app of a module. The module runs in a child process with this
 * environment and working directory, without keys of a pool. Its output is discarded.
 *
 * @throws {OptionError} for a path that is not a file.
 * @throws {CommandFailure} if the module does not create an app in time.
 */
export async function readAppModule(file: string, options: AppModuleOptions): Promise<Inspection> {
  const { option, scopes, timeout, signal } = options
  const job = omitUndefined<Job>({
    name: file,
    module: toFileUrl(file, option),
    scopes: scopes === undefined ? undefined : toFileUrl(scopes, '--scopes'),
  })
  const args = [...process.execArgv, CHILD, JSON.stringify(job)]
  const { failure, inspection } = parseMessage(
    await readChildMessage(args, { name: file, timeout, signal }),
  )
  if (inspection !== undefined) return inspection
  throw new CommandFailure(
    EXIT.usage,
    failure ??
      `${file}: expected no output on file descriptor 3, got other data. Remove the code that writes to it.`,
  )
}

function toFileUrl(file: string, option: string): string {
  const path = resolve(file)
  if (statIfExists(path)?.isFile() === true) return pathToFileURL(path).href
  throw new OptionError(
    option,
    `expected an existing file, got ${quoteFile(file)}. Correct the path.`,
  )
}

/** Parses the message, which a module may have forged. */
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
