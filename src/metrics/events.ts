/** Turns events of the diagnostics channels into counts and durations. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsEvents } from '../core/diagnostics.ts'
import type { MetricsBackend } from './backend.ts'
import type { Labels } from './catalog.ts'
import { type LabelLimits, MISSING } from './label-limits.ts'

type Handlers = {
  readonly [Name in keyof DiagnosticsEvents]?: (event: DiagnosticsEvents[Name]) => void
}

/** @param hasClient Whether `client` is a label. */
function createHandlers(
  backend: MetricsBackend,
  limits: LabelLimits,
  hasClient: boolean,
): Handlers {
  const poolOf = (userPoolId: string | null): string => userPoolId ?? MISSING.pool
  const clientOf = (clientId: string | null): Labels =>
    hasClient ? { client: clientId ?? MISSING.client } : {}
  const count: MetricsBackend['count'] = (key, labels) =>
    backend.count(key, limits.limitAll(labels))
  const measure: MetricsBackend['measure'] = (key, labels, seconds) =>
    backend.measure(key, limits.limitAll(labels), seconds)
  return {
    'cognito-m2m:decision': ({ code, route, userPoolId, clientId, cached, duration }) => {
      const pool = poolOf(userPoolId)
      const labels = { code: code ?? 'ok', route: route ?? MISSING.route, pool }
      count('decisions', { ...labels, ...clientOf(clientId) })
      measure('decisionDuration', { pool }, duration)
      if (cached !== null) count('tokenCacheLookups', { result: cached ? 'hit' : 'miss', pool })
    },
    'cognito-m2m:fetch': ({ code, userPoolId: pool, duration }) => {
      count('jwksFetches', { code: code ?? 'ok', pool })
      measure('jwksFetchDuration', { pool }, duration)
    },
    'cognito-m2m:jwks-change': ({ userPoolId: pool }) => count('jwksChanges', { pool }),
    'cognito-m2m:unknown-kid': ({ code, userPoolId: pool }) =>
      count('unknownKids', { code: code ?? 'ok', pool }),
    'cognito-m2m:token-request': ({ outcome, code, error, userPoolId, clientId, duration }) => {
      const pool = poolOf(userPoolId)
      const labels = { outcome, code: code ?? error ?? 'ok', pool }
      count('tokenRequests', { ...labels, ...clientOf(clientId) })
      if (outcome === 'issued') measure('upstreamDuration', { pool }, duration)
      else measure('tokenRequestDuration', { outcome }, duration)
    },
    'cognito-m2m:client-token': ({ outcome, code, clientId, duration }) => {
      count('clientTokens', { outcome, code: code ?? 'ok', ...clientOf(clientId) })
      measure('clientTokenDuration', { outcome }, duration)
    },
  }
}

/** @returns A function that ends the subscriptions. */
export function recordEvents(
  backend: MetricsBackend,
  limits: LabelLimits,
  hasClient: boolean,
): () => void {
  const ends = Object.entries(createHandlers(backend, limits, hasClient)).map(([name, handle]) => {
    const listener = (message: unknown): void => {
      try {
        ;(handle as (event: unknown) => void)(message)
      } catch {
        // A metric that fails must not fail a request: Node turns an error of a listener into an uncaught exception.
      }
    }
    subscribe(name, listener)
    return () => unsubscribe(name, listener)
  })
  return () => {
    for (const end of ends) end()
  }
}
