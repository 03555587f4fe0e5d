/** A terminal in memory. */
import type { Terminal } from '../../src/cli/terminal/terminal.ts'

/** @param parts Differences of this terminal: for example no colors, no environment, no network, not interactive. */
export function testTerminal(parts: Partial<Terminal> = {}) {
  let out = ''
  let err = ''
  return {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    colors: false,
    width: 80,
    env: {},
    input: async () => undefined,
    stdin: () => undefined,
    secret: async () => undefined,
    signal: new AbortController().signal,
    fetch: async () => {
      throw new TypeError('no network')
    },
    now: Date.now,
    ...parts,
    written: () => ({ out, err }),
  }
}
