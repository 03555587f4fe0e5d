/** The key store of each user pool of a server, and the issuers that their tokens may name. */

import { createCachedLookup } from './hooks.ts'
import { KeyStore } from './keys/key-store.ts'
import type { ServerOptions } from './options/options.ts'
import type { UserPool } from './options/user-pool.ts'
import type { Issuer } from './token/verify.ts'
import { safeClock, steadyClock } from './util/time.ts'

/** Starts fetching the keys of a pool. */
export function createKeyStore(pool: UserPool, options: ServerOptions, instance: number): KeyStore {
  const { userPoolId, issuers, staticKeys, local } = pool
  const { timing, fetch, now, monotonicNow, logger } = options
  if (local) {
    logger.warn(
      { userPoolId },
      'cognito-m2m: local user pool: its tokens prove nothing, for development only',
    )
  }
  return new KeyStore({
    instance,
    userPoolId,
    issuers,
    staticKeys,
    timing,
    fetch,
    now,
    monotonicNow,
    logger,
  })
}

/** Issuers by their exact `iss`, so the tokens of one pool never pass as another's. */
export function indexIssuers(
  keyStores: readonly KeyStore[],
  options: ServerOptions,
): ReadonlyMap<string, Issuer> {
  const { clockTolerance, clientCache, monotonicNow, metadata } = options
  const defaultAudience = metadata && new Set([metadata.resource])
  const issuers = new Map<string, Issuer>()
  for (const [index, pool] of options.pools.entries()) {
    const { userPoolId, machinesOnly, clientIds } = pool
    const elapsed = steadyClock(safeClock(monotonicNow))
    const audience = pool.audience === undefined ? defaultAudience : (pool.audience ?? undefined)
    const rules = { machinesOnly, audience, clientIds, clockTolerance }
    const lookup = pool.lookup && createCachedLookup(pool.lookup, { ...clientCache, elapsed })
    for (const keys of (keyStores[index] as KeyStore).issuers) {
      const { issuer } = keys.source
      issuers.set(issuer, { userPoolId, issuer, keys, rules, lookup })
    }
  }
  return issuers
}
