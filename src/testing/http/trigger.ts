/**
 * The pre-token-generation trigger of a local pool: the V3 event, and the changes of the response. Cognito applies
 * them to the access token of a machine.
 */
import { inspect } from 'node:util'
import { withTimeout } from '../../core/util/time.ts'

/** Changes of a token, in the response of a trigger. Names and types are those of Cognito. */
export interface ClaimsAndScopeOverrideDetails {
  /** Changes of the access token. Other members have no effect on a machine's token. */
  accessTokenGeneration?: {
    /** Claims of any JSON type. */
    claimsToAddOrOverride?: Record<string, unknown>
    claimsToSuppress?: string[]
    scopesToAdd?: string[]
    scopesToSuppress?: string[]
  }
}

/**
 * The V3 event of Cognito's pre-token-generation trigger for a machine's token.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export interface PreTokenGenerationEvent {
  version: string
  triggerSource: 'TokenGeneration_ClientCredentials'
  region: string
  userPoolId: string
  /** ID of the app client. */
  userName: string
  callerContext: { awsSdkVersion: string; clientId: string }
  request: {
    userAttributes: Record<string, string>
    groupConfiguration: { groupsToOverride?: string[]; iamRolesToOverride?: string[] }
    /** Scopes of the token, before changes. */
    scopes: string[]
    /** `aws_client_metadata` or `ClientMetadata` of the request. */
    clientMetadata?: Record<string, string>
  }
  response: { claimsAndScopeOverrideDetails: ClaimsAndScopeOverrideDetails | null }
}

/**
 * A pre-token-generation trigger, as a Lambda function has it.
 *
 * @param event A copy, which the function may change.
 * @returns The event with the changes in `response`, or a promise of it. An exception rejects the token request.
 */
export type PreTokenGenerationTrigger = (event: PreTokenGenerationEvent) => unknown

/** Facts of a token, for the event. */
export interface TriggerContext {
  readonly userPoolId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly clientMetadata: Readonly<Record<string, string>> | undefined
}

/** The changes that a trigger made. */
export interface TokenChanges {
  readonly scopes: readonly string[]
  /** Claims to add or replace. Undefined removes one. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Exceptions of Cognito for a trigger that failed. */
export type TriggerException =
  | 'UserLambdaValidationException'
  | 'InvalidLambdaResponseException'
  | 'UnexpectedLambdaException'

/** A trigger failed, or its response has changes that Cognito does not allow. */
export class TriggerError extends Error {
  readonly exception: TriggerException

  constructor(exception: TriggerException, message: string) {
    super(message)
    this.exception = exception
  }
}

/** Cognito's timeout of a trigger, in milliseconds. */
const TIMEOUT_MS = 5000
/** Characters of an error message of the trigger. */
const MAX_MESSAGE_LENGTH = 1000

/**
 * Calls a trigger and reads its changes.
 *
 * @throws {TriggerError} No other error.
 */
export async function runTrigger(
  trigger: PreTokenGenerationTrigger,
  context: TriggerContext,
): Promise<TokenChanges> {
  const output = await withTimeout(TIMEOUT_MS, call(trigger, createEvent(context)), () => {
    const reason = 'Socket timeout while invoking Lambda function'
    return new TriggerError(
      'UnexpectedLambdaException',
      `PreTokenGeneration invocation failed due to error ${reason}.`,
    )
  })
  return readChanges(output, context)
}

function createEvent({
  userPoolId,
  clientId,
  scopes,
  clientMetadata,
}: TriggerContext): PreTokenGenerationEvent {
  const event: PreTokenGenerationEvent = {
    version: '3',
    triggerSource: 'TokenGeneration_ClientCredentials',
    region: userPoolId.slice(0, userPoolId.indexOf('_')),
    userPoolId,
    userName: clientId,
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
    request: { userAttributes: {}, groupConfiguration: {}, scopes: [...scopes] },
    response: { claimsAndScopeOverrideDetails: null },
  }
  if (clientMetadata !== undefined) event.request.clientMetadata = { ...clientMetadata }
  return event
}

/** @returns The output as Lambda passes it on: JSON. */
async function call(
  trigger: PreTokenGenerationTrigger,
  event: PreTokenGenerationEvent,
): Promise<unknown> {
  let output: unknown
  try {
    output = await trigger(event)
  } catch (error) {
    const message = readMessage(error).slice(0, MAX_MESSAGE_LENGTH)
    throw new TriggerError(
      'UserLambdaValidationException',
      `PreTokenGeneration failed with error ${message}.`,
    )
  }
  try {
    return JSON.parse(JSON.stringify(output))
  } catch {
    // Undefined, a circular reference or a BigInt.
    throw unrecognized()
  }
}

function readMessage(error: unknown): string {
  return error instanceof Error ? String(error.message) : inspect(error)
}

type Fields = Readonly<Record<string, unknown>>

/** Claims that no trigger can add, replace or remove. `aud` can be added, as the ID of the app client. */
const RESERVED_CLAIMS = new Set([
  'acr',
  'amr',
  'at_hash',
  'aud',
  'auth_time',
  'azp',
  'client_id',
  'device_key',
  'event_id',
  'exp',
  'iat',
  'identities',
  'iss',
  'jti',
  'nbf',
  'nonce',
  'origin_jti',
  'scope',
  'sub',
  'token_use',
  'username',
  'version',
])
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Of a name that is both added and suppressed, the suppression applies. */
function readChanges(output: unknown, { clientId, scopes }: TriggerContext): TokenChanges {
  const response = readObject(readObject(output)['response'])
  const details = readObject(response['claimsAndScopeOverrideDetails'] ?? {})
  const changes = readObject(details['accessTokenGeneration'] ?? {})
  const claims = readObject(changes['claimsToAddOrOverride'] ?? {})
  const suppressedClaims = readStrings(changes, 'claimsToSuppress')
  for (const [name, value] of Object.entries(claims)) {
    if (isReserved(name) && !(name === 'aud' && value === clientId)) throw rejectClaim(name)
  }
  for (const name of suppressedClaims) if (isReserved(name)) throw rejectClaim(name)
  const added = readStrings(changes, 'scopesToAdd')
  for (const scope of added)
    if (!SCOPE.test(scope)) throw invalid('a scope with invalid characters')
  const suppressedScopes = new Set(readStrings(changes, 'scopesToSuppress'))
  const removed = suppressedClaims.map((name): [string, undefined] => [name, undefined])
  return {
    scopes: [...new Set([...scopes, ...added])].filter((scope) => !suppressedScopes.has(scope)),
    claims: Object.fromEntries([...Object.entries(claims), ...removed]),
  }
}

function isReserved(claim: string): boolean {
  return RESERVED_CLAIMS.has(claim) || claim.startsWith('cognito:')
}

function readObject(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw unrecognized()
}

function readStrings(changes: Fields, name: string): readonly string[] {
  const value = changes[name] ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw invalid(`${name} that is not an array of strings`)
}

function rejectClaim(name: string): TriggerError {
  return invalid(`the claim ${name}, which cannot be changed`)
}

function unrecognized(): TriggerError {
  return new TriggerError('InvalidLambdaResponseException', 'Unrecognizable lambda output')
}

function invalid(what: string): TriggerError {
  return new TriggerError(
    'InvalidLambdaResponseException',
    `Invalid lambda function output: the response of PreTokenGeneration has ${what}.`,
  )
}
