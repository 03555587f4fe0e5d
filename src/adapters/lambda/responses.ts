/** The responses of an authorizer: policies, for one request or cacheable, and simple responses. */
import type {
  APIGatewayAuthorizerResult,
  APIGatewaySimpleAuthorizerWithContextResult,
  Statement,
} from 'aws-lambda'
import { StacklessError } from '../../core/errors.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import type { RequestArn } from './events.ts'
import { MAX_RESULT_BYTES, type PolicyGrant } from './policy-region.ts'

/** What was granted, or the code of the 403. */
export type Outcome<Granted> =
  | { readonly kind: 'granted'; readonly granted: Granted }
  | { readonly kind: 'denied'; readonly code: string }

/**
 * The error an authorizer throws. API Gateway responds 401 to the message `Unauthorized` and 500 to any
 * other, and caches neither. Lambda's runtime reads the stack, so this one holds a single line.
 */
export class AuthorizerError extends StacklessError {
  override readonly name = 'AuthorizerError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.stack = `${this.name}: ${message}`
  }
}

/** The context that the API's backend gets as `$context.authorizer.…`; API Gateway accepts only scalars. */
export type AuthorizerContext = {
  /** The app client; absent on routes that need no token. */
  clientId?: string
  /** Granted scopes, separated by one space; absent if a cacheable policy would be too large with them. */
  scopes?: string
  /** Epoch seconds. */
  expiresAt?: number
  userPoolId?: string
  /** Why access was denied: one of the codes of `AuthErrorCode`. */
  code?: string
}

/** The principal of a request without a token. */
const ANONYMOUS_PRINCIPAL = 'anonymous'

/** A token, the routes it may call, and until when (epoch seconds). */
export interface CacheableGrant extends PolicyGrant {
  readonly token: VerifiedToken
  readonly endsAt: number
}

type Decision = Outcome<VerifiedToken | null>

/** A policy about one request. */
export function requestPolicy(
  outcome: Decision,
  { exact }: RequestArn,
): APIGatewayAuthorizerResult {
  const effect = outcome.kind === 'denied' ? 'Deny' : 'Allow'
  return createPolicy([createStatement(effect, [exact])], toContext(outcome))
}

/**
 * A policy about all routes of the API. API Gateway caches it and applies it to the caller's next
 * requests.
 *
 * @throws {AuthorizerError} if it exceeds API Gateway's limit, for example with a long stage name.
 */
export function cacheablePolicy(
  outcome: Outcome<CacheableGrant>,
  { stage }: RequestArn,
): APIGatewayAuthorizerResult {
  const resources = (globs: readonly string[]): string[] => globs.map((glob) => `${stage}/${glob}`)
  const denyAll = createStatement('Deny', resources(['*']))
  if (outcome.kind === 'denied') return createPolicy([denyAll], toContext(outcome))
  const { token, allow, deny, endsAt } = outcome.granted
  const context = toContext({ kind: 'granted', granted: token })
  if (allow.length === 0) return createPolicy([denyAll], context)
  const statements = [createStatement('Allow', resources(allow), endsAt)]
  if (deny.length > 0) statements.push(createStatement('Deny', resources(deny)))
  const { scopes: _scopes, ...rest } = context
  const fitting = [context, rest].map((it) => createPolicy(statements, it)).find(isWithinLimit)
  if (fitting !== undefined) return fitting
  throw new AuthorizerError('ERR_OPTION_INVALID', 'The policy is too large: set resultTtl to 0')
}

/** The response of HTTP API 2.0 with `EnableSimpleResponses`. */
export function simpleResponse(
  outcome: Decision,
): APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext> {
  return { isAuthorized: outcome.kind === 'granted', context: toContext(outcome) }
}

function toContext(outcome: Decision): AuthorizerContext {
  if (outcome.kind === 'denied') return { code: outcome.code }
  if (outcome.granted === null) return {}
  const { clientId, scopes, expiresAt, userPoolId } = outcome.granted
  return { clientId, scopes: [...scopes].join(' '), expiresAt, userPoolId }
}

function isWithinLimit(result: APIGatewayAuthorizerResult): boolean {
  return Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT_BYTES
}

function createPolicy(
  statements: Statement[],
  context: AuthorizerContext,
): APIGatewayAuthorizerResult {
  return {
    principalId: context.clientId ?? ANONYMOUS_PRINCIPAL,
    policyDocument: { Version: '2012-10-17', Statement: statements },
    context,
  }
}

/** @param endsAt Epoch seconds at which a cached Allow ends. */
function createStatement(
  effect: 'Allow' | 'Deny',
  resources: readonly string[],
  endsAt?: number,
): Statement {
  const statement = {
    Effect: effect,
    Action: 'execute-api:Invoke',
    Resource: [...resources],
  }
  if (endsAt === undefined) return statement
  const Condition = { DateLessThan: { 'aws:CurrentTime': formatIsoSeconds(endsAt) } }
  return { ...statement, Condition }
}

function formatIsoSeconds(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}
