/**
 * What a command reads and writes beyond its arguments and files, injected so that tests can stand in
 * for it.
 */
import process from 'node:process'
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
  // There is nowhere left to tell it.
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
    secret: async (question) =>
      stdin.isTTY ? readHidden(stdin, (text) => stderr.write(text), question, signal) : undefined,
    fetch: (...given) => globalThis.fetch(...given),
    now: Date.now,
  }
}

/** Who reads may have read enough (`| head`); what could not be written for another reason is told. */
function handleOutputError({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return
  process.stderr.write(`cognito-m2m: the output cannot be written (${code})\n`)
  process.exit(EXIT.unavailable)
}

export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Whether what goes to `out` may be coloured: a terminal, and nobody said no. */
  readonly colors: boolean
  /** Columns of what `out` is; 80 where it is no terminal. */
  readonly width: number
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Standard input to its end; undefined where a person sits there.
   *
   * @param maxBytes More ends the command with one line.
   */
  input(maxBytes: number): Promise<string | undefined>
  /** Asks a person and shows nothing of what is typed; undefined where nobody is there. */
  secret(question: string): Promise<string | undefined>
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal
  /** Transport of every request a command makes by itself. */
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
  /** What the process ends with, unless the command throws. Default 0. */
  exitWith(code: ExitCode): void
  /** Told of a running pool, so that whoever runs the command can end it. */
  onPoolStarted(pool: LocalUserPool): void
}
