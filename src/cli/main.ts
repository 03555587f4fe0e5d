#!/usr/bin/env node
/** Entry point of the executable: runs the program in this process. */
import process from 'node:process'
import { EXIT } from './exit-codes.ts'
import { runProgram } from './program.ts'
import { createProcessTerminal } from './terminal/terminal.ts'

const interruption = new AbortController()
let received: NodeJS.Signals | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    received ??= signal
    interruption.abort()
  })
}
const exitCode = await runProgram(
  process.argv.slice(2),
  createProcessTerminal(interruption.signal),
  (pool) => interruption.signal.addEventListener('abort', () => void pool.close()),
)
// Shells report 128 + the number of the signal.
process.exitCode = exitCode === EXIT.interrupted && received === 'SIGTERM' ? 143 : exitCode
