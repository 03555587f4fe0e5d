/** Finds clients that request tokens much more often than tokens expire. */

/** Tokens of a client in a range of days. */
export interface IssuedTokens {
  readonly issued: number
  /** Days of the range on which tokens were issued. */
  readonly days: number
  /** Cost of the issued tokens. */
  readonly cost: number
}

/** What a client would save with a cache. */
export interface PossibleSaving {
  /** One token an hour on the days with tokens, which is enough for a client with a cache. */
  readonly needed: number
  /** Cost of the tokens beyond these. */
  readonly saving: number
}

/** Cognito's tokens are valid for an hour, unless the app client has another validity. */
const TOKENS_PER_DAY = 24
/** Below this factor, several processes or scopes of a client with a cache are more likely than none. */
const MIN_FACTOR = 10
const MAX_CLIENTS = 10

/**
 * Lists the clients with the largest possible savings.
 *
 * @returns At most ten, largest saving first.
 */
export function findSavings<Client extends IssuedTokens>(
  clients: readonly Client[],
): readonly (Client & PossibleSaving)[] {
  return clients
    .filter(({ issued, days }) => issued >= MIN_FACTOR * TOKENS_PER_DAY * days && days > 0)
    .map((client) => {
      const needed = TOKENS_PER_DAY * client.days
      return { ...client, needed, saving: client.cost * (1 - needed / client.issued) }
    })
    .sort((a, b) => b.saving - a.saving || b.issued - a.issued)
    .slice(0, MAX_CLIENTS)
}
