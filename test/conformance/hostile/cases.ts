/** The matrix: every hostile case and every accepted control case, each once. */
import { algorithmCases } from './algorithm.ts'
import { acceptedAuthorizations, authorizationCases } from './authorization.ts'
import { bitCases } from './bits.ts'
import { acceptedClaims, claimCases } from './claims.ts'
import { encodingCases } from './encoding.ts'
import { acceptedHeaders, headerCases } from './header.ts'
import type { AcceptedCase, HostileCase } from './hostile-case.ts'
import { acceptedJson, jsonCases } from './json.ts'
import { kidCases } from './kid.ts'
import { partCases } from './parts.ts'
import { scopeCases } from './scopes.ts'
import { shapeCases } from './shapes.ts'
import { acceptedSizes, sizeCases } from './sizes.ts'
import { timeCases } from './times.ts'
import { weakKeyCases } from './weak-keys.ts'

/** @param site Port of the attacker's site, which some tokens point at. */
export function hostileCases(site: number): HostileCase[] {
  return [
    ...algorithmCases(),
    ...kidCases(),
    ...headerCases(site),
    ...encodingCases(),
    ...jsonCases(),
    ...claimCases(),
    ...timeCases(),
    ...scopeCases(),
    ...partCases(),
    ...bitCases(),
    ...shapeCases(),
    ...sizeCases(),
    ...authorizationCases(),
    ...weakKeyCases(),
  ]
}

export function acceptedCases(site: number): AcceptedCase[] {
  return [
    ...acceptedHeaders(site),
    ...acceptedJson(),
    ...acceptedClaims(),
    ...acceptedSizes(),
    ...acceptedAuthorizations(),
  ]
}

/** Cases that ask the same thing at the same door as an earlier one. */
export function repetitions(cases: readonly AcceptedCase[]): string[] {
  const seen = new Map<string, string>()
  const repeated: string[] = []
  for (const { door, authorization, clause, field, mutation } of cases) {
    const asked = `${door} ${JSON.stringify(authorization)}`
    const name = `${clause} ${field}: ${mutation}`
    const earlier = seen.get(asked)
    if (earlier === undefined) seen.set(asked, name)
    else repeated.push(`${name} = ${earlier}`)
  }
  return repeated
}

/** One line per clause and field: how many mutations it has. */
export function overview(cases: readonly AcceptedCase[]): string[] {
  const counts = new Map<string, number>()
  for (const { clause, field } of cases) {
    // The kids of unusable keys are mutations themselves.
    const row = `${clause} | ${field.replace(/^kid: .*/, 'kid of an unusable key')}`
    counts.set(row, (counts.get(row) ?? 0) + 1)
  }
  return [...counts].map(([row, count]) => `${row} | ${count}`).sort()
}
