#!/usr/bin/env node
/** The bin: wires the program to this process. */
import process from 'node:process'
import { runProgram } from './program.ts'

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  },
  (pool) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void pool.close())
    }
  },
)
