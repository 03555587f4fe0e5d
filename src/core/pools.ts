/** User pools → their key stores, and the table from the `iss` of a token to what it is held against. */
import { cachedLookup } from './hooks.ts'
import { KeyStore } from './keys/key-store.ts'
import type { ServerOptions } from './options/options.ts'
import type { UserPool } from './options/user-pool.ts'
import type { Issuer } from './token/verify.ts'
import { steadyClock, trusting } from './util/clock.ts'

/**
 * Keys are fetched from here on.
 *
 * @param instance Number of the resource server.
 */
export function openStore(pool: UserPool, options: ServerOptions, instance: number): KeyStore {
  const { userPoolId, issuers, given, local } = pool
  const { timing, fetch, now, monotonicNow, logger } = options
  if (local) {
    logger.warn(
      { userPoolId },
      'cognito-m2m: local user pool: its tokens prove nothing, for development only',
    )
  }
  return new KeyStore({
    ...{ instance, userPoolId, issuers, given, timing, fetch },
    ...{ now, monotonicNow, logger },
  })
}

/** By the exact `iss`, so two pools can never be mixed up. */
export function tableOfIssuers(
  stores: readonly KeyStore[],
  options: ServerOptions,
): ReadonlyMap<string, Issuer> {
  const { clockTolerance, clientCache, monotonicNow, metadata } = options
  const byDefault = metadata && new Set([metadata.resource])
  const issuers = new Map<string, Issuer>()
  for (const [index, pool] of options.pools.entries()) {
    const { userPoolId, machinesOnly, clientIds, lookup } = pool
    const elapsed = steadyClock(trusting(monotonicNow))
    const audience = pool.audience === undefined ? byDefault : (pool.audience ?? undefined)
    const rules = { machinesOnly, audience, clientIds, clockTolerance }
    const cached = lookup && cachedLookup(lookup, { ...clientCache, elapsed })
    for (const keys of (stores[index] as KeyStore).issuers) {
      const { issuer } = keys.source
      issuers.set(issuer, { userPoolId, issuer, keys, rules, lookup: cached })
    }
  }
  return issuers
}
