/** Three verifiers of one token, with the same keys, clients and clock. */
import { mock } from 'node:test'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { AuthError, type Guard, type VerifiedToken } from '../../../src/index.ts'
import { CLIENT, ISSUER, NOW, POOL, serve, UPDATED_ISSUER } from '../../support/forge.ts'
import { OTHER_CLIENT } from './forging.ts'
import { jwks } from './signing.ts'

/** Seconds. */
const TOLERANCE = 5

/** The claims of an accepted token; a refusal is undefined. */
export type Claims = object | undefined

/** Core's answer: what the handler would get, or the code of the refusal. */
export type CoreAnswer = VerifiedToken | string

export interface Judges {
  readonly core: (token: string) => Promise<CoreAnswer>
  readonly aws: (token: string) => Claims
  readonly jose: (token: string) => Promise<Claims>
}

const clientId = [CLIENT, OTHER_CLIENT]
const pool = { jwks, clientId, clockTolerance: TOLERANCE }

const cognito = CognitoJwtVerifier.create({
  userPoolId: POOL,
  tokenUse: 'access',
  clientId,
  graceSeconds: TOLERANCE,
})
cognito.cacheJwks(jwks as unknown as Parameters<typeof cognito.cacheJwks>[0])

const keySet = createLocalJWKSet(jwks as unknown as JSONWebKeySet)
const joseOptions = {
  algorithms: ['RS256'],
  issuer: [ISSUER, UPDATED_ISSUER],
  clockTolerance: TOLERANCE,
  currentDate: new Date(NOW * 1000),
}

function coreOf(guard: Guard<VerifiedToken>): Judges['core'] {
  return async (token) => {
    try {
      return await guard(`Bearer ${token}`)
    } catch (error) {
      // Anything else is a crash, which fails the run.
      if (error instanceof AuthError) return error.code
      throw error
    }
  }
}

export const judges: Judges = {
  core: coreOf(serve(pool).guard()),
  aws(token) {
    try {
      return cognito.verifySync(token)
    } catch {
      return undefined
    }
  },
  async jose(token) {
    return jwtVerify(token, keySet, joseOptions).then(
      ({ payload }) => payload,
      () => undefined,
    )
  },
}

/** With a core that lets users in as well. */
export const judgesOfUsers: Judges = {
  ...judges,
  core: coreOf(serve({ ...pool, subjects: 'any' }).guard()),
}

/**
 * aws-jwt-verify takes no clock, so `Date` itself stands still, for a whole run: setting it for each
 * token would cost more than the verdict.
 */
export function stopClock(): () => void {
  mock.timers.enable({ apis: ['Date'], now: NOW * 1000 })
  return () => mock.timers.reset()
}
