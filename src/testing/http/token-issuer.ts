/** Issues the token of an authenticated app client: scopes, trigger and signature, the same for both token APIs. */
import type { Scope } from '../../core/scopes.ts'
import type { PoolClient } from '../clients.ts'
import type { UserPoolAuthority } from '../test-user-pool.ts'
import {
  type PreTokenGenerationTrigger,
  runTrigger,
  type TokenChanges,
  type TriggerError,
} from './trigger.ts'

/** A token request of an authenticated app client. */
export interface IssueRequest {
  readonly client: PoolClient
  /** Undefined requests all scopes of the client. */
  readonly scopes: readonly string[] | undefined
  readonly clientMetadata: Readonly<Record<string, string>> | undefined
}

/** The result of {@link TokenIssuer.issue}. */
export type IssueResult =
  | { readonly kind: 'issued'; readonly accessToken: string; readonly expiresIn: number }
  /** The client lacks a scope. */
  | { readonly kind: 'scope' }
  | { readonly kind: 'trigger'; readonly error: TriggerError }

/** Issues tokens of one pool. */
export class TokenIssuer {
  readonly pool: UserPoolAuthority
  readonly #trigger: PreTokenGenerationTrigger | undefined

  constructor(pool: UserPoolAuthority, trigger: PreTokenGenerationTrigger | undefined) {
    this.pool = pool
    this.#trigger = trigger
  }

  async issue({ client, scopes, clientMetadata }: IssueRequest): Promise<IssueResult> {
    const requested = scopes === undefined ? client.scopes : [...new Set(scopes)]
    if (!requested.every((scope) => client.scopes.includes(scope))) return { kind: 'scope' }
    const { clientId, accessTokenValidity } = client
    let changes: TokenChanges
    try {
      changes = await this.#getChanges({ clientId, scopes: requested, clientMetadata })
    } catch (error) {
      return { kind: 'trigger', error: error as TriggerError }
    }
    const accessToken = this.pool.accessToken({
      clientId,
      scopes: changes.scopes as readonly Scope[],
      claims: changes.claims,
    })
    return { kind: 'issued', accessToken, expiresIn: accessTokenValidity }
  }

  async #getChanges(context: {
    readonly clientId: string
    readonly scopes: readonly string[]
    readonly clientMetadata: IssueRequest['clientMetadata']
  }): Promise<TokenChanges> {
    if (this.#trigger === undefined) return { scopes: context.scopes, claims: {} }
    return runTrigger(this.#trigger, { ...context, userPoolId: this.pool.userPoolId })
  }
}
