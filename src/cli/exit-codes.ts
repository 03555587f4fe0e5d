/** What the process ends with: the same for every command. */
export const EXIT = {
  /** Done; for `check` and `explain`: nothing is wrong. */
  ok: 0,
  /** Done, and the answer is no: findings of severity error, a token that would be refused. */
  refused: 1,
  /** Nothing was done: an option, a file or a module is not what it should be. */
  usage: 2,
  /** It could not be told: an endpoint or its network failed. */
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
