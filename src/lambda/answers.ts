/** What an authorizer answers: policies, exact or for all routes, and simple answers. */
import type {
  APIGatewayAuthorizerResult,
  APIGatewaySimpleAuthorizerWithContextResult,
  Statement,
} from 'aws-lambda'
import type { VerifiedToken } from '../core/verified-token.ts'
import type { RequestArn } from './arn.ts'
import type { Outcome } from './outcome.ts'
import type { Reach } from './reach.ts'

/** What the API's backend is told, as `$context.authorizer.…`: scalars, which is all it takes. */
export type AuthorizerContext = {
  /** The app client; absent where no token was asked for. */
  clientId?: string
  /** Granted scopes, separated by one space. */
  scopes?: string
  /** Epoch seconds. */
  expiresAt?: number
  userPoolId?: string
  /** Of a refusal, one of the codes of `AuthErrorCode`. */
  code?: string
}

/** Who calls where there is no token. */
const NOBODY = 'anonymous'

/** About this request alone. */
export function exactPolicy(outcome: Outcome, { exact }: RequestArn): APIGatewayAuthorizerResult {
  const effect = 'code' in outcome ? 'Deny' : 'Allow'
  return policy([statement(effect, [exact])], contextOf(outcome))
}

/** About every route of the API: API Gateway keeps it and asks it about the caller's next request. */
export function keptPolicy(
  outcome: Outcome,
  { stage }: RequestArn,
  reachOf: (token: VerifiedToken) => Reach & { readonly until: number },
): APIGatewayAuthorizerResult {
  const resources = (globs: readonly string[]): string[] => globs.map((glob) => `${stage}/${glob}`)
  const context = contextOf(outcome)
  const reach = 'token' in outcome && outcome.token !== null ? reachOf(outcome.token) : undefined
  if (reach === undefined || reach.allow.length === 0) {
    return policy([statement('Deny', resources(['*']))], context)
  }
  const { allow, deny, until } = reach
  const statements = [statement('Allow', resources(allow), until)]
  if (deny.length > 0) statements.push(statement('Deny', resources(deny)))
  return policy(statements, context)
}

/** HTTP API 2.0 with simple responses. */
export function simpleAnswer(
  outcome: Outcome,
): APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext> {
  return { isAuthorized: 'token' in outcome, context: contextOf(outcome) }
}

function contextOf(outcome: Outcome): AuthorizerContext {
  if ('code' in outcome) return { code: outcome.code }
  if (outcome.token === null) return {}
  const { clientId, scopes, expiresAt, userPoolId } = outcome.token
  return { clientId, scopes: [...scopes].join(' '), expiresAt, userPoolId }
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
