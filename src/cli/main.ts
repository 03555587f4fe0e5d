#!/usr/bin/env node
/** Entry point of the executable: runs the program in this process. */
import process from 'node:process'
import { runProgram } from './program.ts'
import { createProcessTerminal } from './terminal/terminal.ts'

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort())
}
process.exitCode = await runProgram(
  process.argv.slice(2),
  createProcessTerminal(interruption.signal),
  (pool) => interruption.signal.addEventListener('abort', () => void pool.close()),
)
