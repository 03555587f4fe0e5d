/** The terminal of this process. */
import process from 'node:process'
import { EXIT } from '../exit-codes.ts'
import { mayColor } from './format.ts'
import { readInput } from './input.ts'
import { readHidden } from './prompt.ts'
import type { Terminal } from './terminal.ts'

export function processTerminal(signal: AbortSignal): Terminal {
  const { stdin, stdout, stderr, env } = process
  stdout.on('error', lost)
  // There is nowhere left to tell it.
  stderr.on('error', () => {})
  return {
    out: (it) => void stdout.write(it),
    err: (it) => void stderr.write(it),
    colors: mayColor(env, stdout.isTTY),
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
function lost({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return
  process.stderr.write(`cognito-m2m: the output cannot be written (${code})\n`)
  process.exit(EXIT.unavailable)
}
