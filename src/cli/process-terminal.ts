/** The terminal of this process. */
import process from 'node:process'
import { text } from 'node:stream/consumers'
import type { Terminal } from './terminal.ts'

/** https://no-color.org */
const colors = (): boolean => process.stdout.isTTY && !process.env['NO_COLOR']

export function processTerminal(signal: AbortSignal): Terminal {
  return {
    out: (it) => void process.stdout.write(it),
    err: (it) => void process.stderr.write(it),
    colors: colors(),
    env: process.env,
    signal,
    input: async () => (process.stdin.isTTY ? undefined : await text(process.stdin)),
    secret: async () => undefined,
  }
}
