/** Input, output and environment of a command, injected so that tests can replace them. */
import process from 'node:process'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { LocalUserPool } from '../../testing/index.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { isColorEnabled } from './format.ts'
import type { Manual } from './help.ts'
import { readInput } from './input.ts'
import { readHidden } from './prompt.ts'

export function createProcessTerminal(signal: AbortSignal): Terminal {
  const { stdin, stdout, stderr, env } = process
  stdout.on('error', handleOutputError)
  // No stream is left to report it.
  stderr.on('error', () => {})
  return {
    out: (it) => void stdout.write(it),
    err: (it) => void stderr.write(it),
    colors: isColorEnabled(env, stdout.isTTY),
    width: stdout.columns || 80,
    env,
    signal,
    input: async (maxBytes) =>
      stdin.isTTY ? undefined : readInput(stdin, { maxBytes, signal, what: 'standard input' }),
    stdin: () => (stdin.isTTY ? undefined : stdin),
    secret: async (question) =>
      stdin.isTTY ? readHidden(stdin, (text) => stderr.write(text), question, signal) : undefined,
    fetch: (...args) => globalThis.fetch(...args),
    now: Date.now,
  }
}

/** Ignores a closed pipe (`| head`), and reports every other error. */
function handleOutputError({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return
  process.stderr.write(`cognito-m2m: cannot write the output (${code})\n`)
  process.exit(EXIT.unavailable)
}

export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Whether text for `out` has colors. */
  readonly colors: boolean
  /** Columns of `out`. 80 if it is not a terminal. */
  readonly width: number
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Reads standard input to its end.
   *
   * @param maxBytes More bytes end the command with an error.
   * @returns Undefined if standard input is a terminal.
   */
  input(maxBytes: number): Promise<string | undefined>
  /** Standard input as a stream of bytes. Undefined if it is a terminal. */
  stdin(): Readable | undefined
  /** Prompts for a secret without echo. Undefined if standard input is not a terminal. */
  secret(question: string): Promise<string | undefined>
  /** Aborts if the command is interrupted. */
  readonly signal: AbortSignal
  /** Transport of all requests of a command. */
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
}

/** A command with its manual page. */
export interface DocumentedCommand {
  readonly command: Command
  readonly manual: Manual
}

/** What the program passes to every command. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Sets the exit code, unless the command throws. Default 0. */
  exitWith(code: ExitCode): void
  /** Called with a running pool, so that the caller can stop it. */
  onPoolStarted(pool: LocalUserPool): void
}
