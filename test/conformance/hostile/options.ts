/** Options and requirements of the hostile cases. */
import type { AccessRequirement, CognitoAuthOptions } from '../../../src/index.ts'
import { CLIENT, ISSUER, jwk, NOW, POOL } from '../../support/forge.ts'
import type { DoorName } from './hostile-case.ts'
import { weakKeySet } from './weak-keys.ts'

export interface DoorPlan {
  readonly options: CognitoAuthOptions
  readonly requirement?: AccessRequirement
}

export const SCOPE = 'orders/read'
export const KEYS_URL = `${ISSUER}/.well-known/jwks.json`

/** @param fetched Every URL that keys were fetched from. */
export function doorPlans(fetched: string[]): Readonly<Record<DoorName, DoorPlan>> {
  const clocks = { now: () => NOW * 1000, monotonicNow: () => 0 }
  const pool = { ...clocks, userPoolId: POOL, clientId: CLIENT }
  const offline = { ...pool, jwks: { keys: [jwk()] } }
  return {
    plain: { options: offline },
    scoped: { options: offline, requirement: { scopes: SCOPE } },
    large: { options: { ...offline, maxTokenLength: 1_048_576 } },
    fetched: { options: { ...pool, fetch: recordingFetch(fetched) } },
    weak: { options: { ...pool, jwks: weakKeySet() as CognitoAuthOptions['jwks'] & object } },
  }
}

/** Answers for the pool; anything else goes out, to where the attacker's site would notice. */
function recordingFetch(fetched: string[]): typeof globalThis.fetch {
  return async (input, init) => {
    fetched.push(String(input))
    if (String(input) === KEYS_URL) return Response.json({ keys: [jwk()] })
    return globalThis.fetch(input, init)
  }
}
