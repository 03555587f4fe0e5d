/** A command that the store executed after its deadline: it had no effect. */

/** Recognized by the caller, who sends the command again while somebody waits for it. */
export class LateError extends Error {
  constructor() {
    super('LATE: the store executed the command after its deadline')
    this.name = 'LateError'
  }
}
