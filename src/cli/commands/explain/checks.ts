/**
 * Runs every check of the middleware separately, with a message for each. Codes come from functions of the
 * middleware, in its order, so the first code is the response of an API.
 */
import type { AuthErrorCode } from '../../../core/errors.ts'
import {
  type ImportedKey,
  importKeySet,
  type JsonWebKey,
  type JsonWebKeySet,
} from '../../../core/keys/jwk.ts'
import {
  type ClaimFailure,
  isMachine,
  listClaimFailures,
  type MachineClaims,
  notBefore,
} from '../../../core/token/claims.ts'
import { isSignedBy } from '../../../core/token/signature.ts'
import type { JsonObject } from '../../../core/token/strict-json.ts'
import { parseScopes } from '../../../core/token/verified-token.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { DecodedToken } from './decode.ts'
import {
  type ExpectedIssuers,
  type FetchedKeys,
  type IssuerEndpoint,
  isNotFound,
  type KeySets,
} from './keys.ts'
import { type Check, formatTime } from './report.ts'

/** The conditions of an API. */
export interface Expectations {
  readonly expectedIssuers: ExpectedIssuers
  readonly keys: KeySets
  /** App clients that may call. Undefined if every app client may. */
  readonly clientIds: readonly string[] | undefined
  readonly subjects: 'machine' | 'any'
  /** The API's identifiers, for users' tokens. Undefined if it has none. */
  readonly audience: readonly string[] | undefined
  /** Required scopes. */
  readonly scopes: readonly string[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Wall clock, milliseconds. */
  readonly now: number
}

function pass(check: string, message: string): Check {
  return { check, state: 'passed', message }
}

function fail(check: string, code: AuthErrorCode, message: string, fix: string): Check {
  return { check, state: 'failed', code, message, fix }
}

function skip(check: string, message: string, code?: AuthErrorCode): Check {
  const skipped = { check, state: 'unjudged', message } as const
  return code === undefined ? skipped : { ...skipped, code }
}

const KEYS_UNAVAILABLE = 'ERR_KEYS_UNAVAILABLE'
const NEW_TOKEN_FIX =
  'get a new token from the pool that the API trusts; this key is from another pool, or was removed by a rotation'

async function checkKey(token: DecodedToken, expected: Expectations): Promise<readonly Check[]> {
  const kid = token.header?.['kid']
  if (typeof kid !== 'string') return [skip('key', 'the header has no kid'), SIGNATURE_SKIPPED]
  const { issuers } = expected.expectedIssuers
  const claimed = issuers.find(({ issuer }) => issuer === token.claims?.['iss'])
  const found = findKey(kid, claimed ?? (issuers[0] as IssuerEndpoint), expected)
  if ('check' in found) return [found, SIGNATURE_SKIPPED]
  return [pass('key', toPrintable(kid)), await checkSignature(token, found)]
}

const SIGNATURE_SKIPPED = skip('signature', 'no key is available')

/** Finds the key, or returns the failed check. */
function findKey(
  kid: string,
  { issuer, jwksUri }: IssuerEndpoint,
  { expectedIssuers, keys }: Expectations,
): ImportedKey | Check {
  const answer = keys.get(jwksUri)
  // No request was sent, and skipReason is set: the issuer of the token comes first.
  if (answer === undefined)
    return skip('key', expectedIssuers.skipReason as string, KEYS_UNAVAILABLE)
  if ('error' in answer) {
    const others = expectedIssuers.issuers.map((it) => keys.get(it.jwksUri))
    if (isNotFound(answer) && others.some(hasUsableKeys)) {
      return fail('key', 'ERR_KEY_UNKNOWN', `the pool has no keys at ${issuer}`, NEW_TOKEN_FIX)
    }
    const { message, status, errno } = answer.error
    const facts = [status ?? [], errno ?? []].flat().join(', ')
    return skip('key', `${message}${facts === '' ? '' : ` (${facts})`}`, KEYS_UNAVAILABLE)
  }
  const keySet = importKeySet(answer.document)
  if (keySet === undefined) return skip('key', 'the key set has no usable key', KEYS_UNAVAILABLE)
  if (keySet.unusable.has(kid)) {
    const message = `${toPrintable(kid)} is listed, but is not a usable RSA key of at least 2048 bits`
    return skip('key', message, KEYS_UNAVAILABLE)
  }
  const count = keySet.usable.size
  const absent = isKeyListed(kid, answer.document)
    ? 'is listed, but not for RS256 signatures'
    : `is not in the key set, which has ${count} ${count === 1 ? 'key' : 'keys'}`
  return (
    keySet.usable.get(kid) ??
    fail('key', 'ERR_KEY_UNKNOWN', `${toPrintable(kid)} ${absent}`, NEW_TOKEN_FIX)
  )
}

/** Whether an imported key set lists the key. */
function isKeyListed(kid: string, document: unknown): boolean {
  const { keys } = document as JsonWebKeySet
  return keys.some((key: JsonWebKey | null) => key?.kid === kid)
}

function hasUsableKeys(answer: FetchedKeys | undefined): boolean {
  return answer !== undefined && 'document' in answer && importKeySet(answer.document) !== undefined
}

async function checkSignature({ jws }: DecodedToken, { key }: ImportedKey): Promise<Check> {
  if (jws === undefined) return skip('signature', 'the token is not well-formed')
  if (await isSignedBy(jws, key)) return pass('signature', 'verified with that key')
  return fail(
    'signature',
    'ERR_TOKEN_SIGNATURE',
    'it does not match the header and payload: the token was changed or forged',
    'copy the whole token from the response of the token endpoint, unchanged',
  )
}

export async function runChecks(
  token: DecodedToken,
  expected: Expectations,
): Promise<readonly Check[]> {
  const { claims } = token
  const form = checkForm(token)
  if (claims === undefined) {
    return [form, skip('claims', 'they cannot be read, so no claim was checked')]
  }
  const failures = listClaimFailures(claims, toClaimRules(expected), expected.now)
  return [
    form,
    checkIssuer(claims, expected.expectedIssuers, failures),
    checkUse(claims, failures),
    checkClaimTypes(failures),
    checkMachine(expected, failures),
    checkAud(claims, expected, failures),
    ...checkTimes(claims, expected, failures),
    checkCaller(claims, expected, failures),
    ...(await checkKey(token, expected)),
    checkScopes(claims, expected.scopes),
  ]
}

/** Converts the conditions to the claim rules of the middleware. */
function toClaimRules({
  subjects,
  audience,
  clientIds,
  clockTolerance,
}: Expectations): Parameters<typeof listClaimFailures>[1] {
  return {
    machinesOnly: subjects === 'machine',
    audience: audience && new Set(audience),
    clientIds: clientIds && new Set(clientIds),
    clockTolerance,
  }
}

function findFailure(
  failures: readonly ClaimFailure[],
  code: AuthErrorCode,
  claim?: string,
): ClaimFailure | undefined {
  return failures.find((it) => it.code === code && (claim === undefined || it.claim === claim))
}

function checkForm({ code, problems }: DecodedToken): Check {
  if (code === undefined) return pass('form', 'a signed token (JWS), RS256')
  return fail(
    'form',
    code,
    problems.join('; '),
    'copy the whole token from the response of the token endpoint',
  )
}

function checkIssuer(
  claims: JsonObject,
  { issuers, isNamed }: ExpectedIssuers,
  failures: readonly ClaimFailure[],
): Check {
  const failure = findFailure(failures, 'ERR_TOKEN_INVALID', 'iss')
  if (failure !== undefined) {
    return fail('issuer', failure.code, failure.reason as string, CLAIM_FIX)
  }
  const iss = claims['iss'] as string
  if (!issuers.some(({ issuer }) => issuer === iss)) {
    const trusted = issuers.map(({ issuer }) => issuer).join(' or ')
    return fail(
      'issuer',
      'ERR_TOKEN_ISSUER',
      isNamed
        ? `iss is ${toPrintable(iss)}, not ${toPrintable(trusted)}`
        : `iss is ${toPrintable(iss)}, which is not the issuer of a user pool`,
      'get the token from the user pool that the API trusts, or correct the user pool of the API and of this command',
    )
  }
  if (isNamed) return pass('issuer', toPrintable(iss))
  return skip(
    'issuer',
    `${toPrintable(iss)}, from the token; pass --pool to compare it with your pool`,
  )
}

/** Fix of claims that no token of Cognito has. */
const CLAIM_FIX =
  'use the access token that Cognito returned, or correct the service that issues the token'

function checkUse(claims: JsonObject, failures: readonly ClaimFailure[]): Check {
  const failure = failures.find(({ claim }) => claim === 'token_use')
  if (failure === undefined) return pass('use', 'an access token')
  const { code, reason } = failure
  if (reason !== null) return fail('use', code, reason, CLAIM_FIX)
  return fail(
    'use',
    code,
    `token_use is ${toPrintable(String(claims['token_use']))}, not access`,
    'send the access token instead of the ID token',
  )
}

function checkClaimTypes(failures: readonly ClaimFailure[]): Check {
  // `iss` and `token_use` have separate checks.
  const reasons = failures
    .filter(({ claim }) => claim !== 'iss' && claim !== 'token_use')
    .flatMap(({ reason }) => reason ?? [])
  if (reasons.length === 0) return pass('claims', 'complete and well-formed')
  return fail('claims', 'ERR_TOKEN_INVALID', reasons.join('; '), CLAIM_FIX)
}

function checkMachine({ subjects }: Expectations, failures: readonly ClaimFailure[]): Check {
  if (subjects === 'any') return pass('subject', 'a machine or a user (--subjects any)')
  const failure = findFailure(failures, 'ERR_TOKEN_USE', 'sub')
  if (failure === undefined) {
    return pass('subject', 'a machine: sub is the app client, no username')
  }
  return fail(
    'subject',
    failure.code,
    "it is a user's token: sub is not the app client, or there is a username",
    "get a token with client credentials, or allow users: subjects: 'any' in the API, --subjects any here",
  )
}

function checkAud(
  claims: JsonObject,
  { audience }: Expectations,
  failures: readonly ClaimFailure[],
): Check {
  const { aud } = claims
  if (findFailure(failures, 'ERR_TOKEN_INVALID', 'aud'))
    return skip('audience', 'aud is not an audience')
  const text = aud === undefined ? 'no aud' : `aud is ${toPrintable([aud].flat().join(' '), 500)}`
  const failure = findFailure(failures, 'ERR_TOKEN_AUDIENCE')
  if (failure === undefined) return pass('audience', text)
  const { code } = failure
  return isMachine(claims) || audience === undefined
    ? fail(
        'audience',
        code,
        `${text}, not only the app client`,
        'for user tokens of this API, set its audience, and --audience here; machine tokens have only the app client as aud',
      )
    : fail(
        'audience',
        code,
        `${text}, not ${toPrintable(audience.join(' or '), 500)}`,
        'request the token with the resource of this API (RFC 8707), or add the value to the audience of the API',
      )
}

function checkTimes(
  claims: JsonObject,
  { clockTolerance, now }: Expectations,
  failures: readonly ClaimFailure[],
): readonly Check[] {
  const { exp, iat, nbf } = claims
  const expires = checkTime('expiry', exp, () =>
    findFailure(failures, 'ERR_TOKEN_EXPIRED') === undefined
      ? pass('expiry', formatTime(exp as number, now))
      : fail(
          'expiry',
          'ERR_TOKEN_EXPIRED',
          `it expired at ${formatTime(exp as number, now)}`,
          'get a new token; a token client renews it before it expires',
        ),
  )
  const isRead = nbf === undefined || Number.isFinite(nbf)
  const begins = checkTime('begin', isRead ? iat : nbf, () => {
    const isActive = findFailure(failures, 'ERR_TOKEN_NOT_ACTIVE') === undefined
    if (isActive) return pass('begin', formatTime(iat as number, now))
    const from = notBefore(claims as MachineClaims, clockTolerance)
    return fail(
      'begin',
      'ERR_TOKEN_NOT_ACTIVE',
      `it is valid from ${formatTime(from, now)}`,
      'correct the clock of this machine or of the API; the tolerance is at most 300 s',
    )
  })
  return [expires, begins]
}

/** Skips the check of a time that is not a number, which checkClaimTypes reports. */
function checkTime(check: string, value: unknown, run: () => Check): Check {
  return Number.isFinite(value) ? run() : skip(check, 'the time is not a number')
}

function checkCaller(
  claims: JsonObject,
  { clientIds }: Expectations,
  failures: readonly ClaimFailure[],
): Check {
  const { client_id: clientId } = claims
  if (typeof clientId !== 'string') return skip('client', 'client_id is not a string')
  if (clientIds === undefined) {
    return pass(
      'client',
      `${toPrintable(clientId)}; without --client-id, every app client is allowed`,
    )
  }
  const failure = findFailure(failures, 'ERR_CLIENT_NOT_ALLOWED')
  if (failure === undefined) return pass('client', toPrintable(clientId))
  return fail(
    'client',
    failure.code,
    `the app client is ${toPrintable(clientId)}, not ${toPrintable(clientIds.join(' or '))}`,
    "add it to the API's clientId, or call with an app client of that list",
  )
}

function checkScopes(claims: JsonObject, required: readonly string[]): Check {
  if (claims['scope'] !== undefined && typeof claims['scope'] !== 'string') {
    return skip('scopes', 'scope is not a list of scopes')
  }
  const granted = parseScopes(claims as MachineClaims)
  const has = granted.length === 0 ? 'none' : toPrintable(granted.join(' '), 500)
  const missing = required.filter((scope) => !granted.includes(scope))
  if (missing.length === 0) {
    return pass(
      'scopes',
      required.length === 0 ? `${has}; without --scope, no scope is required` : has,
    )
  }
  return fail(
    'scopes',
    'ERR_SCOPE_INSUFFICIENT',
    `it lacks ${toPrintable(missing.join(' '))}; it has ${has}`,
    'grant the scope to the app client (AllowedOAuthScopes), and request it, or request no scope to get all',
  )
}
