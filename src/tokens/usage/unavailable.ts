/** The store of counts cannot be read now. */

/** Counting goes on; what was asked for can be asked for again. */
export class UsageUnavailableError extends Error {
  override readonly name = 'UsageUnavailableError'
  readonly code = 'ERR_USAGE_UNAVAILABLE'

  constructor() {
    super('cognito-m2m: usage cannot be read from its store at the moment')
  }
}
