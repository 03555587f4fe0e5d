/**
 * Reads a token request strictly. Nothing of it is forwarded as it came: what is known is written
 * anew, what is ambiguous is refused.
 */
import { type ClientCredentials, readBasic } from '../oauth/basic.ts'
import { isForm, parseForm } from '../oauth/form.ts'

/** How credentials travel, in RFC 7591's words: a proxy passes them on as they came. */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

/** A request for client credentials, read. */
export interface TokenRequest {
  /** The app client, as Cognito knows it; not proven. */
  readonly clientId: string
  readonly authMethod: AuthMethod
  /** As they were sent: who checks a header may form-decode its halves or not. */
  readonly credentials: ClientCredentials
  /** Sorted, each once; undefined where the parameter was left out. */
  readonly scopes: readonly string[] | undefined
  /** `aws_client_metadata`. */
  readonly metadata: string | undefined
}

/** The parts of an incoming request that are read. */
export interface IncomingTokenRequest {
  readonly contentType: string | undefined
  /** Every Authorization line: Node's `headers` keeps the first and hides the others. */
  readonly authorization: string | readonly string[] | undefined
  readonly body: unknown
}

/** `error` of an answer, as RFC 6749 section 5.2 names it. */
export type ReadError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unsupported_grant_type'

/** What Cognito's ids consist of; any other is nobody's. */
const CLIENT_ID = /^[\w+.-]{1,128}$/
/** RFC 6749 section 3.3. */
const SCOPES = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/
/** What invalid UTF-8 is decoded to: two secrets would become one. */
const REPLACED = '\ufffd'

/** @returns The request, or the error of the answer. */
export function readTokenRequest(incoming: IncomingTokenRequest): TokenRequest | ReadError {
  const { contentType, authorization, body } = incoming
  if (!isForm(contentType) || !Buffer.isBuffer(body)) return 'invalid_request'
  // RFC 8707 allows several `resource`. Cognito reads it for other grants, so a token does not depend
  // on it: it is neither forwarded nor part of what a token is kept under.
  const form = parseForm(body, 'scope', 'resource')
  const grantType = form?.get('grant_type')
  if (form === undefined || grantType === undefined) return 'invalid_request'
  if (grantType !== 'client_credentials') return 'unsupported_grant_type'
  const client = readClient(authorization, form)
  if (typeof client === 'string') return client
  const scope = form.get('scope')
  if (scope !== undefined && !SCOPES.test(scope)) return 'invalid_scope'
  return { ...client, scopes: readScopes(scope), metadata: form.get('aws_client_metadata') }
}

type Client = Pick<TokenRequest, 'clientId' | 'authMethod' | 'credentials'>

function readClient(
  authorization: IncomingTokenRequest['authorization'],
  form: ReadonlyMap<string, string>,
): Client | ReadError {
  const clientId = form.get('client_id')
  const secret = form.get('client_secret')
  if (authorization === undefined) {
    if (clientId === undefined || secret === undefined) return 'invalid_client'
    if (!CLIENT_ID.test(clientId)) return 'invalid_client'
    return { clientId, authMethod: 'client_secret_post', credentials: { clientId, secret } }
  }
  if (typeof authorization !== 'string' || secret !== undefined) return 'invalid_request'
  const readings = readBasic(authorization)
  const [credentials] = readings
  // At most one: a well-formed id has no escape in it, and a blank for each plus that is decoded.
  const known = readings.find((reading) => CLIENT_ID.test(reading.clientId))
  if (credentials === undefined || known === undefined) return 'invalid_client'
  if (credentials.secret.includes(REPLACED)) return 'invalid_client'
  if (clientId !== undefined && clientId !== known.clientId) return 'invalid_request'
  return { clientId: known.clientId, authMethod: 'client_secret_basic', credentials }
}

/** Order and repetition mean nothing (RFC 6749 section 3.3). */
function readScopes(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  if (!scope.includes(' ')) return scope === '' ? [] : [scope]
  return [...new Set(scope.split(' '))].filter((it) => it !== '').sort()
}
