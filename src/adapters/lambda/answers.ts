/** What an authorizer answers: policies, exact or for all routes, and simple answers. */
import type {
  APIGatewayAuthorizerResult,
  APIGatewaySimpleAuthorizerWithContextResult,
  Statement,
} from 'aws-lambda'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { has } from '../../core/util/own-member.ts'
import { AuthorizerError, type Outcome } from './authorizer.ts'
import type { RequestArn } from './events.ts'
import { MAX_RESULT, type Reach } from './policy-region.ts'

/** What the API's backend is told, as `$context.authorizer.…`: scalars, which is all it takes. */
export type AuthorizerContext = {
  /** The app client; absent where no token was asked for. */
  clientId?: string
  /** Granted scopes, separated by one space; left out where a kept policy would not fit with them. */
  scopes?: string
  /** Epoch seconds. */
  expiresAt?: number
  userPoolId?: string
  /** Of a refusal, one of the codes of `AuthErrorCode`. */
  code?: string
}

/** Who calls where there is no token. */
const NOBODY = 'anonymous'

/** A token, what it may reach, and until when (epoch seconds). */
export interface KeptGrant extends Reach {
  readonly token: VerifiedToken
  readonly until: number
}

type Decision = Outcome<VerifiedToken | null>

/** About this request alone. */
export function exactPolicy(outcome: Decision, { exact }: RequestArn): APIGatewayAuthorizerResult {
  const effect = has(outcome, 'code') ? 'Deny' : 'Allow'
  return policy([statement(effect, [exact])], contextOf(outcome))
}

/**
 * About every route of the API: API Gateway keeps it and asks it about the caller's next request.
 *
 * @throws {AuthorizerError} where it is larger than API Gateway takes, which a long stage name can do.
 */
export function keptPolicy(
  outcome: Outcome<KeptGrant>,
  { stage }: RequestArn,
): APIGatewayAuthorizerResult {
  const resources = (globs: readonly string[]): string[] => globs.map((glob) => `${stage}/${glob}`)
  const nothing = statement('Deny', resources(['*']))
  if (has(outcome, 'code')) return policy([nothing], contextOf(outcome))
  const { token, allow, deny, until } = outcome.granted
  const context = contextOf({ granted: token })
  if (allow.length === 0) return policy([nothing], context)
  const statements = [statement('Allow', resources(allow), until)]
  if (deny.length > 0) statements.push(statement('Deny', resources(deny)))
  const { scopes: _scopes, ...rest } = context
  const fitting = [context, rest].map((it) => policy(statements, it)).find(fits)
  if (fitting !== undefined) return fitting
  throw new AuthorizerError('ERR_OPTION_INVALID', 'The policy is too large: set resultTtl to 0')
}

/** HTTP API 2.0 with simple responses. */
export function simpleAnswer(
  outcome: Decision,
): APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext> {
  return { isAuthorized: has(outcome, 'granted'), context: contextOf(outcome) }
}

function contextOf(outcome: Decision): AuthorizerContext {
  if (has(outcome, 'code')) return { code: outcome.code }
  if (outcome.granted === null) return {}
  const { clientId, scopes, expiresAt, userPoolId } = outcome.granted
  return { clientId, scopes: [...scopes].join(' '), expiresAt, userPoolId }
}

function fits(result: APIGatewayAuthorizerResult): boolean {
  return Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT
}

function policy(statements: Statement[], context: AuthorizerContext): APIGatewayAuthorizerResult {
  return {
    principalId: context.clientId ?? NOBODY,
    policyDocument: { Version: '2012-10-17', Statement: statements },
    context,
  }
}

/** @param until Epoch seconds at which an Allow that is kept ends. */
function statement(
  effect: 'Allow' | 'Deny',
  resources: readonly string[],
  until?: number,
): Statement {
  return {
    Effect: effect,
    Action: 'execute-api:Invoke',
    Resource: [...resources],
    ...(until !== undefined && {
      Condition: { DateLessThan: { 'aws:CurrentTime': isoSeconds(until) } },
    }),
  }
}

function isoSeconds(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}
