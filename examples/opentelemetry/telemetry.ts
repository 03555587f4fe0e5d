/**
 * Metrics of `cognito-m2m/metrics`, and spans of decisions and fetches, in OpenTelemetry. Needs @opentelemetry/api alone;
 * which SDK and exporter stand behind it is the application's.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { DiagnosticsEvents } from 'cognito-m2m'
import { createMetrics, type Metrics } from 'cognito-m2m/metrics'

type Name = keyof DiagnosticsEvents

function on<Heard extends Name>(
  name: Heard,
  listener: (event: DiagnosticsEvents[Heard]) => void,
): () => void {
  const heard = (message: unknown): void => listener(message as DiagnosticsEvents[Heard])
  subscribe(name, heard)
  return () => unsubscribe(name, heard)
}

/** The members of an event that a span shows. */
interface SpanEvent {
  readonly userPoolId: string | null
  readonly clientId?: string | null
  readonly route?: string | null
  readonly code: string | null
  readonly duration: number
}

/** Attributes as OpenTelemetry names them; what is null is left out. */
function attributes(event: SpanEvent): Record<string, string> {
  const named = {
    'cognito_m2m.user_pool_id': event.userPoolId,
    'cognito_m2m.client_id': event.clientId,
    'http.route': event.route,
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
function endedSpan(name: string, kind: SpanKind, event: SpanEvent): void {
  const endTime = Date.now()
  const startTime = endTime - event.duration * 1000
  const span = trace
    .getTracer('cognito-m2m')
    .startSpan(name, { kind, startTime, attributes: attributes(event) })
  if (isFault(event.code)) span.setStatus({ code: SpanStatusCode.ERROR, message: event.code })
  span.end(endTime)
}

/**
 * Call it once, before the plugin is registered.
 *
 * @returns `watch` adds gauges of a resource server (`app.cognito`, `auth.server`), a token proxy or a token client;
 *   `stop` ends.
 */
export function observeCognito(): { watch: Metrics['watch']; stop: () => void } {
  const counted = createMetrics({ meter: metrics.getMeter('cognito-m2m'), clientId: true })
  const ends = [
    on('cognito-m2m:decision', (event) =>
      endedSpan('cognito-m2m decision', SpanKind.INTERNAL, event),
    ),
    on('cognito-m2m:fetch', (event) => endedSpan('cognito-m2m fetch', SpanKind.CLIENT, event)),
  ]
  const stop = (): void => {
    counted.close()
    for (const end of ends) end()
  }
  return { watch: counted.watch, stop }
}
