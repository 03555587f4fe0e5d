/** Local user pools: whoever runs one makes its tokens, so production never accepts one. */
import type { IssuerForm } from './issuer-forms.ts'
import { LOCAL_REGION } from './partitions.ts'
import { isLoopback } from './secure-url.ts'
import { OptionError } from './validate.ts'

/** What shows that a pool is local. */
export interface LocalPoolFacts {
  readonly userPoolId: string
  readonly issuers: readonly IssuerForm[]
  /** All keys are in the options. */
  readonly isOffline: boolean
}

/** The option that names a local pool; undefined where none does. */
export function findLocalOption({
  userPoolId,
  issuers,
}: LocalPoolFacts): 'userPoolId' | 'issuer' | 'jwksUri' | undefined {
  if (isLocal(userPoolId)) return 'userPoolId'
  if (issuers.some(({ issuer }) => isLocal(issuer))) return 'issuer'
  return issuers.some(({ jwksUri }) => isLocal(jwksUri)) ? 'jwksUri' : undefined
}

/** Servers may decode a path and ignore its case, so spelling it differently must not hide the ID. */
function isLocal(text: string): boolean {
  let decoded = text
  let encoded: string
  do {
    encoded = decoded
    decoded = encoded.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  } while (decoded !== encoded)
  return decoded.toLowerCase().includes(`${LOCAL_REGION}_`)
}

/** @throws {OptionError} for a local pool in production, and for one that is not on this machine. */
export function checkLocalPool(
  { issuers, isOffline }: LocalPoolFacts,
  option: string,
  place: string,
): void {
  const verb = option === 'userPoolId' ? 'is' : 'names'
  const isHere = issuers.every(
    ({ issuer, jwksUri }) => isLoopback(new URL(issuer)) && isLoopback(new URL(jwksUri)),
  )
  if (!isHere && !isOffline) {
    throw new OptionError(
      place,
      `${verb} a local pool: set its loopback issuer, or pass its keys as jwks`,
    )
  }
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      place,
      `${verb} a local pool, which is never accepted under NODE_ENV=production: set a real user pool`,
    )
  }
}
