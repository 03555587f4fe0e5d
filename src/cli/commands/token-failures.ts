/** Why there is no token, in plain words, with what to change. */
import { TokenClientError, type TokenClientErrorCode } from '../../tokens/client/index.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'

/** By `error` of Cognito's answer (RFC 6749 section 5.2). */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  [
    'invalid_client',
    'the app client is unknown there, or the secret is not its own: check --client-id, the secret, and that the endpoint is of the same user pool',
  ],
  [
    'invalid_grant',
    'the app client may not use OAuth: set AllowedOAuthFlowsUserPoolClient to true, with client_credentials as its flow',
  ],
  [
    'unauthorized_client',
    'the app client may not use this flow: make client_credentials its only one in AllowedOAuthFlows',
  ],
  [
    'unsupported_grant_type',
    'the endpoint takes no client credentials: check that it is the one of a Cognito user pool',
  ],
  [
    'invalid_scope',
    'the app client may not have one of the scopes: grant it in AllowedOAuthScopes, define it on a resource server, or ask for another --scope',
  ],
  ['invalid_request', 'it could not read the request: check that the endpoint is a token endpoint'],
])

const FAILURES: Partial<Readonly<Record<TokenClientErrorCode, string>>> = {
  ERR_TOKEN_REQUEST_TIMEOUT:
    'did not answer in time: check the address and the way out of this machine',
  ERR_TOKEN_TIMEOUT: 'did not answer in time: check the address and the way out of this machine',
  ERR_TOKEN_REQUEST_NETWORK: 'cannot be reached: check the address and the way out of this machine',
  ERR_TOKEN_REQUEST_STATUS: 'fails at the moment: try again later',
  ERR_TOKEN_RESPONSE_REDIRECT:
    'leads elsewhere, where the secret is not sent: name the endpoint itself',
}

/** What the command ends with; what is no failure of a token request stays what it is. */
export function failureOf(error: unknown, tokenEndpoint: string): unknown {
  if (!(error instanceof TokenClientError)) return error
  const { code, status } = error
  if (code === 'ERR_CLIENT_CLOSED') return new CommandFailure(EXIT.interrupted, 'interrupted')
  if (code === 'ERR_TOKEN_REQUEST_REFUSED') return refusalOf(error)
  if (status === 429) {
    return new CommandFailure(
      EXIT.unavailable,
      `Cognito was asked too often${facts(error)}: its quota is 150 token requests a second for the account; hold tokens as long as they are good`,
    )
  }
  const what = FAILURES[code] ?? 'answers with no token: check that it ends in /oauth2/token'
  const { host } = new URL(tokenEndpoint)
  return new CommandFailure(
    EXIT.unavailable,
    `the token endpoint at ${host} ${what}${facts(error)}`,
  )
}

/** A status without OAuth's words is no answer of a token endpoint. */
function refusalOf(error: TokenClientError): CommandFailure {
  const told = error.error
  const what =
    told === undefined
      ? 'no token endpoint answers there: check that the address ends in /oauth2/token'
      : `${told}: ${REFUSALS.get(told) ?? 'it gives no other reason'}`
  return new CommandFailure(EXIT.refused, `no token, ${what}${facts(error)}`)
}

/** What AWS's support and a search engine want to know. */
function facts({ status, errno, requestId, retryAfter }: TokenClientError): string {
  const known = [
    status === undefined ? [] : `status ${status}`,
    errno ?? [],
    retryAfter === undefined ? [] : `wait ${Math.ceil(retryAfter)} s`,
    requestId === undefined ? [] : `request ${requestId}`,
  ].flat()
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}
