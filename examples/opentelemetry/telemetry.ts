/**
 * Turns what cognito-m2m tells into OpenTelemetry metrics and spans. Needs @opentelemetry/api alone;
 * which SDK and exporter stand behind it is the application's.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { DiagnosticsEvents, ResourceServer } from 'cognito-m2m'

type Name = keyof DiagnosticsEvents

function on<Heard extends Name>(
  name: Heard,
  listener: (event: DiagnosticsEvents[Heard]) => void,
): () => void {
  const heard = (message: unknown): void => listener(message as DiagnosticsEvents[Heard])
  subscribe(name, heard)
  return () => unsubscribe(name, heard)
}

/** Attributes as OpenTelemetry names them; what is null is left out. */
function attributes(event: {
  readonly userPoolId: string | null
  readonly clientId?: string | null
  readonly code: string | null
}): Record<string, string> {
  const named = {
    'cognito_m2m.user_pool_id': event.userPoolId,
    'cognito_m2m.client_id': event.clientId,
    'error.type': event.code,
  }
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, string] => entry[1] != null),
  )
}

/**
 * Whether the server is at fault. A 4xx is the caller's: as semantic conventions require of servers, it leaves the
 * status unset. Otherwise unauthenticated callers could raise the error rate of a service.
 */
function isFault(code: string | null): code is string {
  return code !== null && (code === 'ERR_INTERNAL' || /^ERR_(?:JWKS_|.+_UNAVAILABLE$)/.test(code))
}

/** A span for what has just ended, below the span of the request that is active now. */
function endedSpan(
  name: string,
  kind: SpanKind,
  event: Parameters<typeof attributes>[0] & { readonly duration: number },
): void {
  const endTime = Date.now()
  const startTime = endTime - event.duration * 1000
  const span = trace
    .getTracer('cognito-m2m')
    .startSpan(name, { kind, startTime, attributes: attributes(event) })
  if (isFault(event.code)) span.setStatus({ code: SpanStatusCode.ERROR, message: event.code })
  span.end(endTime)
}

function observeStatus(server: Pick<ResourceServer, 'status'>): void {
  const meter = metrics.getMeter('cognito-m2m')
  meter
    .createObservableGauge('cognito_m2m.keys.age', {
      unit: 's',
      description: 'Age of the keys in force; a pool without keys is left out',
    })
    .addCallback((result) => {
      for (const { userPoolId, keysAge } of server.status().userPools) {
        if (keysAge !== null) result.observe(keysAge, { 'cognito_m2m.user_pool_id': userPoolId })
      }
    })
  meter
    .createObservableGauge('cognito_m2m.ready', { description: '1 once the pool has had keys' })
    .addCallback((result) => {
      for (const { userPoolId, ready } of server.status().userPools) {
        result.observe(Number(ready), { 'cognito_m2m.user_pool_id': userPoolId })
      }
    })
}

/**
 * Call it once, before the plugin is registered.
 *
 * @returns `watch` adds gauges for a resource server (`app.cognito`, `auth.server`); `stop` ends.
 */
export function observeCognito(): {
  watch: (server: Pick<ResourceServer, 'status'>) => void
  stop: () => void
} {
  const meter = metrics.getMeter('cognito-m2m')
  const decisions = meter.createHistogram('cognito_m2m.decision.duration', { unit: 's' })
  const fetches = meter.createHistogram('cognito_m2m.fetch.duration', { unit: 's' })
  const tokens = meter.createHistogram('cognito_m2m.token.duration', { unit: 's' })
  const unknown = meter.createCounter('cognito_m2m.unknown_kids')
  const swaps = meter.createCounter('cognito_m2m.key_set_swaps')
  const ends = [
    on('cognito-m2m:decision', (event) => {
      decisions.record(event.duration, attributes(event))
      endedSpan('cognito-m2m decision', SpanKind.INTERNAL, event)
    }),
    on('cognito-m2m:fetch', (event) => {
      fetches.record(event.duration, attributes(event))
      endedSpan('cognito-m2m fetch', SpanKind.CLIENT, event)
    }),
    on('cognito-m2m:token-request', ({ error: code, outcome, duration, ...who }) => {
      tokens.record(duration, { ...attributes({ ...who, code }), 'cognito_m2m.outcome': outcome })
    }),
    on('cognito-m2m:unknown-kid', (event) => unknown.add(1, attributes(event))),
    on('cognito-m2m:jwks-change', ({ userPoolId }) => {
      swaps.add(1, { 'cognito_m2m.user_pool_id': userPoolId })
    }),
  ]
  const stop = (): void => {
    for (const end of ends) end()
  }
  return { watch: observeStatus, stop }
}
