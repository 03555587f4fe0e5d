/** Runs a command in this process, on a terminal in memory. */
import { runProgram } from '../../src/cli/program.ts'
import type { Terminal } from '../../src/cli/terminal/terminal.ts'
import { testTerminal } from './terminal.ts'

export async function run(args: readonly string[], parts: Partial<Terminal> = {}) {
  const terminal = testTerminal(parts)
  const code = await runProgram(args, terminal, () => {})
  return { code, ...terminal.written() }
}

/** What would make a terminal do or show something else: escapes, links, C1, directions, lone surrogates. */
export const HOSTILE: string = [
  '\u001b[31mred\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007',
  '\u009b2J\u0085\u007f\r\n',
  '\u202eesrever\u2066\u2069\u200f\ufeff\u2028\u2029',
  '\ud800',
].join('')

/** Characters a terminal obeys, those of a line of text left out. */
export const OBEYED: RegExp = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

/** Whether text holds nothing but lines. */
export function isPlain(text: string): boolean {
  return !OBEYED.test(text.replaceAll('\n', ''))
}
