/**
 * API Gateway's half: how Lambda's runtime hands an error over, and how a policy is evaluated.
 * Written from its documentation, so that tests check responses as it does.
 */
import type { APIGatewayAuthorizerResult, Statement } from 'aws-lambda'

/** What Lambda's runtime makes of what was thrown: it gives up on an error without a stack. */
export function runtimeError(error: unknown): { errorType: string; errorMessage: string } {
  const { name, message, stack } = error as Error
  if (typeof stack !== 'string') return { errorType: 'handled', errorMessage: 'no stack' }
  return { errorType: name, errorMessage: message }
}

/** The status API Gateway answers for a result that was thrown. */
export function thrownStatus(error: unknown): number {
  return runtimeError(error).errorMessage === 'Unauthorized' ? 401 : 500
}

/** Whether a policy lets a request through: a Deny beats every Allow, no Allow is a Deny. */
export function allows(
  { policyDocument }: APIGatewayAuthorizerResult,
  arn: string,
  at = 1_700_000_000,
): boolean {
  const matching = policyDocument.Statement.filter(
    (it) => resourcesOf(it).some((resource) => matches(resource, arn)) && holds(it, at),
  )
  return (
    matching.some(({ Effect }) => Effect === 'Allow') &&
    matching.every(({ Effect }) => Effect === 'Allow')
  )
}

export function resourcesOf(statement: Statement): string[] {
  return [(statement as { Resource: string | string[] }).Resource].flat()
}

const patterns = new Map<string, RegExp>()

function matches(resource: string, arn: string): boolean {
  const pattern = patterns.get(resource) ?? patternOf(resource)
  patterns.set(resource, pattern)
  return pattern.test(arn)
}

/** `*` any text, `?` any character, `${*}` and the like the character itself. */
function patternOf(resource: string): RegExp {
  const pattern = resource.replace(/\$\{([*?$])\}|[*?]|[^A-Za-z0-9]/g, (it, literal?: string) => {
    if (literal !== undefined) return `\\${literal}`
    if (it === '*') return '.*'
    return it === '?' ? '.' : `\\${it}`
  })
  return new RegExp(`^${pattern}$`, 's')
}

function holds({ Condition }: Statement, at: number): boolean {
  if (Condition === undefined) return true
  const { DateLessThan, ...others } = Condition as Record<string, Record<string, string>>
  if (Object.keys(others).length > 0) throw new Error('an unknown condition')
  const until = DateLessThan?.['aws:CurrentTime'] ?? ''
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(until)) throw new Error(`no date: ${until}`)
  return at * 1000 < Date.parse(until)
}
