/** What every command is made with. */
import type { LocalUserPool } from '../testing/index.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Terminal } from './terminal/terminal.ts'

export interface CommandContext {
  readonly terminal: Terminal
  /** What the process ends with, unless the command throws. Default 0. */
  exitWith(code: ExitCode): void
  /** Told of a running pool, so that whoever runs the command can end it. */
  started(pool: LocalUserPool): void
}
