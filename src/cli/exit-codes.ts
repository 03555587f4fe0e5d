/** What the process ends with: the same for every command. */
export const EXIT = {
  /** Completed; for `check` and `explain`: no errors were found. */
  ok: 0,
  /** Completed; errors were found: findings of severity error, or a token that an API rejects. */
  refused: 1,
  /** Nothing was done: an option, a file or a module is invalid. */
  usage: 2,
  /** An endpoint or its network failed. */
  unavailable: 3,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with one line and an exit code. The message is a printable line. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}
