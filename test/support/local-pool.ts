/** Runs `local` in this process; the pools it starts are closed behind the test. */
import type { Test } from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import type { LocalUserPool } from '../../src/testing/index.ts'
import { testTerminal } from './terminal.ts'

export async function runLocal(t: Test, ...args: readonly string[]) {
  const pools: LocalUserPool[] = []
  t.teardown(() => Promise.all(pools.map((pool) => pool.close())))
  const terminal = testTerminal()
  const code = await runProgram(['local', ...args], terminal, (pool) => pools.push(pool))
  return { code, ...terminal.written(), pool: pools[0] as LocalUserPool }
}
