/** Exit codes, the same for every command, and the error that ends a command with one. */

/** Exit codes of the process. */
export const EXIT = {
  /** Completed; for `check` and `explain`: no errors were found. */
  ok: 0,
  /** Completed; errors were found: findings of severity error, or a token that an API rejects. */
  refused: 1,
  /** Nothing was done: an option, a file or a module is invalid. */
  usage: 2,
  /** An endpoint or its network failed. */
  unavailable: 3,
  /** Ctrl-C: 128 + SIGINT, as in shells. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with an exit code and a one-line message. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}
