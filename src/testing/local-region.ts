/** One Region of a local pool: where it serves tokens and keys, and its faults. */
import type { PoolServer } from './http/pool-server.ts'
import type { TokenFault } from './http/token-faults.ts'
import type { CloudTrailTokenEvent } from './http/token-log.ts'

/** One Region of a local user pool. */
export interface LocalRegion {
  /** The `iss` claim of its tokens. */
  readonly issuer: string
  readonly port: number
  readonly jwksUri: string
  readonly tokenEndpoint: string
  /** Where it serves GetClientToken: the option `userPoolsApi` of the token client and the token proxy. */
  readonly userPoolsApi: { readonly endpoint: string }
  /** @returns `instance` is the number of the Region in events on `cognito-m2m:token-request`. */
  status(): { readonly instance: number; readonly userPoolId: string }
  /** Lists the last 1,000 requests to `/oauth2/token` in the shape of CloudTrail, oldest first, without secrets. */
  events(): readonly CloudTrailTokenEvent[]
  /**
   * Sets or clears a fault of `/oauth2/token` and GetClientToken.
   *
   * @param fault `refuse` stops all endpoints of the Region. `null` clears the fault.
   * @throws {OptionError} `ERR_OPTION_INVALID` for another value, and if the port is no longer free.
   */
  setTokenFault(fault: TokenFault | null): Promise<void>
}

/** Returns the public operations of a Region. */
export function toLocalRegion(pool: PoolServer): LocalRegion {
  const { issuer, userPoolId } = pool.authority
  return {
    issuer,
    port: pool.server.port,
    jwksUri: pool.jwksUri,
    tokenEndpoint: pool.tokenEndpoint,
    userPoolsApi: Object.freeze({ endpoint: pool.apiEndpoint }),
    status: () => ({ instance: pool.tokens.instance, userPoolId }),
    events: () => pool.tokens.events,
    setTokenFault: (fault) => pool.setTokenFault(fault),
  }
}
