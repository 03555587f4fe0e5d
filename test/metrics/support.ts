/** Publishes events as the package does, and reads what a register of prom-client exposes. */
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { publish } from '../../src/core/diagnostics.ts'
import type { DiagnosticsEvents } from '../../src/index.ts'
import { createMetrics, type MetricsCommonOptions } from '../../src/metrics/index.ts'

export const POOL = 'eu-west-1_AbCdEfGhI'

type Events = DiagnosticsEvents

/** An accepted decision of a cached token, with changes. */
export function decide(changes: Partial<Events['cognito-m2m:decision']> = {}): void {
  publish('cognito-m2m:decision', () => ({
    instance: 1,
    userPoolId: POOL,
    clientId: 'billing',
    code: null,
    reason: null,
    route: '/orders/:id',
    cached: true,
    duration: 0.00008,
    ...changes,
  }))
}

/** A token request to a proxy that was served from its cache, with changes. */
export function requestToken(changes: Partial<Events['cognito-m2m:token-request']> = {}): void {
  publish('cognito-m2m:token-request', () => ({
    instance: 2,
    userPoolId: POOL,
    clientId: 'billing',
    outcome: 'cached' as const,
    error: null,
    code: null,
    duration: 0.002,
    ...changes,
  }))
}

/** Metrics in a new register. `lines` reads the samples, without comments. */
export function begin(t: Test, options: MetricsCommonOptions = {}) {
  const register = new Registry()
  const metrics = createMetrics({ register, ...options })
  t.teardown(() => metrics.close())
  const lines = async (name: string): Promise<string[]> =>
    (await register.metrics()).split('\n').filter((line) => line.startsWith(name))
  return { register, metrics, lines }
}
