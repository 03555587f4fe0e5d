/**
 * Every metric: name, type, unit, labels and help. Both backends, the table of docs/metrics.md, the rules and the
 * dashboard of `deploy` follow it.
 */

/** The labels of Prometheus, with the attribute that OpenTelemetry has in their place. */
export const ATTRIBUTES = {
  /** An error code, or `ok`. The attribute `error.type` is left out on success, as semantic conventions require. */
  code: 'error.type',
  route: 'http.route',
  pool: 'cognito_m2m.user_pool_id',
  client: 'cognito_m2m.client_id',
  outcome: 'cognito_m2m.outcome',
  result: 'cognito_m2m.result',
  credentials: 'cognito_m2m.credentials',
  component: 'cognito_m2m.component',
  state: 'cognito_m2m.state',
} as const

/** A label of Prometheus. */
export type Label = keyof typeof ATTRIBUTES

/** The labels of one observation. */
export type Labels = { readonly [Name in Label]?: string }

/** A metric in the form of OpenTelemetry: {@link toPrometheusName} derives the name in Prometheus. */
export interface MetricDefinition {
  readonly name: `cognito_m2m.${string}`
  readonly type: 'counter' | 'histogram' | 'gauge'
  /** In the notation of UCUM: `s` are seconds, `{request}` is a count of requests, `1` is a ratio or a boolean. */
  readonly unit: string
  readonly labels: readonly Label[]
  readonly help: string
  /** Of a gauge: what is reported for several sources with the same labels. */
  readonly combine?: 'max' | 'min' | 'sum'
}

/** Bucket boundaries of all histograms in seconds: a cached token takes microseconds, a cold fetch seconds. */
export const BUCKETS: readonly number[] = [
  ...[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
]

/** `client` is among the labels only with the option `clientId`. */
export const METRICS = {
  decisions: {
    name: 'cognito_m2m.decisions',
    type: 'counter',
    unit: '{decision}',
    labels: ['code', 'route', 'pool', 'client'],
    help: 'Decisions of guards',
  },
  decisionDuration: {
    name: 'cognito_m2m.decision.duration',
    type: 'histogram',
    unit: 's',
    labels: ['pool'],
    help: 'Time of a decision, with the checks of the app',
  },
  tokenCacheLookups: {
    name: 'cognito_m2m.token_cache.lookups',
    type: 'counter',
    unit: '{lookup}',
    labels: ['result', 'pool'],
    help: 'Verified tokens: hit in the token cache, miss with a verified signature',
  },
  jwksFetches: {
    name: 'cognito_m2m.jwks.fetches',
    type: 'counter',
    unit: '{fetch}',
    labels: ['code', 'pool'],
    help: 'Fetches of key sets',
  },
  jwksFetchDuration: {
    name: 'cognito_m2m.jwks.fetch.duration',
    type: 'histogram',
    unit: 's',
    labels: ['pool'],
    help: 'Time of a fetch of a key set',
  },
  jwksChanges: {
    name: 'cognito_m2m.jwks.changes',
    type: 'counter',
    unit: '{change}',
    labels: ['pool'],
    help: 'Fetches that changed the keys in use',
  },
  unknownKids: {
    name: 'cognito_m2m.unknown_kids',
    type: 'counter',
    unit: '{token}',
    labels: ['code', 'pool'],
    help: 'Tokens that named a key outside of the current key set',
  },
  tokenRequests: {
    name: 'cognito_m2m.token_requests',
    type: 'counter',
    unit: '{request}',
    labels: ['outcome', 'code', 'pool', 'client'],
    help: 'Responses of a token proxy or local user pool; issued ones are billed',
  },
  tokenRequestDuration: {
    name: 'cognito_m2m.token_request.duration',
    type: 'histogram',
    unit: 's',
    labels: ['outcome'],
    help: 'Time of a response of a token proxy: cached, refused or unavailable',
  },
  upstreamDuration: {
    name: 'cognito_m2m.upstream.duration',
    type: 'histogram',
    unit: 's',
    labels: ['pool'],
    help: 'Time in which the user pool issued a token to a token proxy',
  },
  clientTokens: {
    name: 'cognito_m2m.client_tokens',
    type: 'counter',
    unit: '{token}',
    labels: ['outcome', 'code', 'client'],
    help: 'Results of token clients',
  },
  clientTokenDuration: {
    name: 'cognito_m2m.client_token.duration',
    type: 'histogram',
    unit: 's',
    labels: ['outcome'],
    help: 'Time of a token request of a token client, or of the wait of a call',
  },
  ready: {
    name: 'cognito_m2m.ready',
    type: 'gauge',
    unit: '',
    labels: ['pool'],
    help: '1 once the user pool has had keys, otherwise 0',
    combine: 'min',
  },
  keysAge: {
    name: 'cognito_m2m.keys.age',
    type: 'gauge',
    unit: 's',
    labels: ['pool'],
    help: 'Time since the fetch of the newest keys started; left out without keys',
    combine: 'max',
  },
  proxyAvailable: {
    name: 'cognito_m2m.proxy.upstream.available',
    type: 'gauge',
    unit: '',
    labels: [],
    help: '0 while the circuit breaker of the token endpoint is open, otherwise 1',
    combine: 'min',
  },
  proxySecondary: {
    name: 'cognito_m2m.proxy.secondary_region',
    type: 'gauge',
    unit: '',
    labels: [],
    help: '1 while the secondary Region serves token requests, otherwise 0',
    combine: 'max',
  },
  proxyInFlight: {
    name: 'cognito_m2m.proxy.in_flight',
    type: 'gauge',
    unit: '{request}',
    labels: [],
    help: 'Token requests to Cognito in flight',
    combine: 'sum',
  },
  proxyQueued: {
    name: 'cognito_m2m.proxy.queued',
    type: 'gauge',
    unit: '{request}',
    labels: ['credentials'],
    help: 'Token requests over the limits that wait: proven or unproven credentials',
    combine: 'sum',
  },
  proxyBudgetUsed: {
    name: 'cognito_m2m.proxy.budget.used',
    type: 'gauge',
    unit: '{request}',
    labels: [],
    help: 'Token requests to Cognito in the last second',
    combine: 'sum',
  },
  proxyBudgetLimit: {
    name: 'cognito_m2m.proxy.budget.limit',
    type: 'gauge',
    unit: '{request}',
    labels: [],
    help: 'Token requests to Cognito that this process may send per second',
    combine: 'sum',
  },
  clientScopeSets: {
    name: 'cognito_m2m.client.scope_sets',
    type: 'gauge',
    unit: '{scope_set}',
    labels: ['state'],
    help: 'Scope sets of token clients by their last token request',
    combine: 'sum',
  },
  clientTokenRemaining: {
    name: 'cognito_m2m.client.token.remaining',
    type: 'gauge',
    unit: 's',
    labels: [],
    help: 'Shortest time for which a cached token of a token client is still used',
    combine: 'min',
  },
  storeDegraded: {
    name: 'cognito_m2m.store.degraded',
    type: 'gauge',
    unit: '',
    labels: ['component'],
    help: '1 while tokens are kept in memory because the token store fails, otherwise 0',
    combine: 'max',
  },
} as const

type Definitions = typeof METRICS

/** Keys of the metrics of a type. */
export type MetricKey<Type extends MetricDefinition['type']> = {
  [Key in keyof Definitions]: Definitions[Key]['type'] extends Type ? Key : never
}[keyof Definitions]

/** All metrics, in the order of the docs. */
export const METRIC_LIST: readonly MetricDefinition[] = Object.values(METRICS)

/** The name that the exporters of OpenTelemetry give a metric in Prometheus, too. */
export function toPrometheusName({ name, unit, type }: MetricDefinition): string {
  const seconds = unit === 's' ? '_seconds' : ''
  return `${name.replaceAll('.', '_')}${seconds}${type === 'counter' ? '_total' : ''}`
}
