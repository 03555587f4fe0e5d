/** Compares three verdicts on one token with each other and with the rules. */
import type { CoreAnswer, Judges } from './oracles.ts'
import { type Reading, readToken } from './reading.ts'
import type { Rule } from './rules.ts'

/** Who accepts. */
export interface Verdicts {
  /** `accepted`, or the code of the refusal. */
  readonly core: string
  readonly aws: boolean
  readonly jose: boolean
}

/**
 * Faults of a verdict:
 * - `looser`: core accepts what one of the libraries refuses;
 * - `lax`: core accepts what a rule refuses;
 * - `different claims`: all accept, and see different tokens;
 * - `unexplained`: core alone refuses, and no rule says why;
 * - `other code`: a rule says why, and core's answer says something else;
 * - `no verdict`: core reports that it cannot decide, which it always can offline.
 */
export type Fault =
  | 'looser'
  | 'lax'
  | 'different claims'
  | 'unexplained'
  | 'other code'
  | 'no verdict'

export interface Judgement {
  readonly verdicts: Verdicts
  /** The rule that explains why core alone refuses. */
  readonly rule: string | undefined
  readonly fault: Fault | undefined
}

export async function judge(
  credential: string,
  judges: Judges,
  rules: readonly Rule[],
): Promise<Judgement> {
  // Blanks before it belong to the header (RFC 9110 section 11.4), which core alone reads.
  const token = credential.replace(/^ +/, '')
  // jose verifies on another thread; the other two have their turn meanwhile.
  const joseClaims = judges.jose(token)
  const answer = await judges.core(credential)
  const claims = [judges.aws(token), await joseClaims] as const
  const [aws, jose] = [claims[0] !== undefined, claims[1] !== undefined]
  const core = typeof answer === 'string' ? answer : 'accepted'
  const verdicts = { core, aws, jose }
  if (typeof answer !== 'string') {
    const loose = !aws || !jose
    const fault = loose ? 'looser' : faultOfAccepted(answer, claims, readToken(token), rules)
    return { verdicts, rule: undefined, fault }
  }
  if (core.endsWith('_UNAVAILABLE')) return { verdicts, rule: undefined, fault: 'no verdict' }
  if (!aws || !jose) return { verdicts, rule: undefined, fault: undefined }
  const reading = readToken(token)
  const rule = rules.find(({ refuses }) => refuses(reading))
  if (rule === undefined) return { verdicts, rule: undefined, fault: 'unexplained' }
  return { verdicts, rule: rule.name, fault: rule.code === core ? undefined : 'other code' }
}

function faultOfAccepted(
  token: Exclude<CoreAnswer, string>,
  claims: readonly unknown[],
  reading: Reading,
  rules: readonly Rule[],
): Fault | undefined {
  if (rules.some(({ refuses }) => refuses(reading))) return 'lax'
  const seen = JSON.stringify(token.claims)
  const { scope } = reading.claims as { scope?: string }
  const scopes = [...new Set(scope?.split(' ').filter((it) => it !== ''))]
  const same =
    claims.every((theirs) => JSON.stringify(theirs) === seen) &&
    token.clientId === reading.claims['client_id'] &&
    token.subject === reading.claims['sub'] &&
    token.issuer === reading.claims['iss'] &&
    token.expiresAt === reading.claims['exp'] &&
    JSON.stringify([...token.scopes]) === JSON.stringify(scopes)
  return same ? undefined : 'different claims'
}
