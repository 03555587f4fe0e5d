/** Writes the Grafana dashboard of deploy/grafana from a list of panels, typed by Grafana's schema. */
import type { Dashboard, DataSourceRef, Panel } from '@grafana/schema'

const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$' + '{datasource}' }
const JOB = '{job=~"$job"}'
const RATE = '[$__rate_interval]'

/** A query, and the legend of its series. */
interface Query {
  readonly expr: string
  readonly legend: string
}

interface Chart {
  readonly title: string
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
  readonly type?: 'timeseries' | 'stat'
}

interface Section {
  readonly title: string
  readonly charts: readonly Chart[]
}

const rate = (metric: string, matchers = ''): string =>
  `rate(cognito_m2m_${metric}{job=~"$job"${matchers}}${RATE})`
const quantile = (of: number, metric: string, by = ''): string =>
  `histogram_quantile(${of}, sum by (le${by}) (${rate(`${metric}_bucket`)}))`

const durations = (metric: string): readonly Query[] => [
  { expr: quantile(0.5, metric), legend: 'median' },
  { expr: quantile(0.99, metric), legend: 'p99' },
]

const SECTIONS: readonly Section[] = [
  {
    title: 'Requests',
    charts: [
      {
        title: 'Decisions by code',
        description: 'ok and 503 are yours. Unauthenticated callers can cause any number of 401s.',
        unit: 'reqps',
        queries: [{ expr: `sum by (code) (${rate('decisions_total')})`, legend: '{{code}}' }],
      },
      {
        title: 'Rejections with a verified token, by route',
        description: '403s and 503s: scopes, clients, checks and keys. 401s are left out.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (route, code) (${rate('decisions_total', ',code!~"ok|ERR_TOKEN_.+|ERR_REQUEST_INVALID|ERR_KEY_UNKNOWN"')})`,
            legend: '{{code}} {{route}}',
          },
        ],
      },
      {
        title: 'Time of a decision',
        description: 'With the checks of the app. A cached token takes microseconds.',
        unit: 's',
        queries: durations('decision_duration_seconds'),
      },
      {
        title: 'Token cache hits',
        description: 'Share of verified tokens whose signature had been verified before.',
        unit: 'percentunit',
        queries: [
          {
            expr: `sum(${rate('token_cache_lookups_total', ',result="hit"')}) / sum(${rate('token_cache_lookups_total')})`,
            legend: 'hits',
          },
        ],
      },
    ],
  },
  {
    title: 'Keys',
    charts: [
      {
        title: 'Ready',
        description: '1 once every watched instance has had keys of the pool.',
        unit: 'none',
        type: 'stat',
        queries: [{ expr: `min by (pool) (cognito_m2m_ready${JOB})`, legend: '{{pool}}' }],
      },
      {
        title: 'Age of the keys',
        description: 'About 300 s is normal. At 86,400 s every token gets 503.',
        unit: 's',
        queries: [
          {
            expr: `max by (pool, instance) (cognito_m2m_keys_age_seconds${JOB})`,
            legend: '{{pool}} {{instance}}',
          },
        ],
      },
      {
        title: 'Fetches of key sets',
        description: 'Any code but ok is an outage of the endpoint or of the egress.',
        unit: 'cps',
        queries: [{ expr: `sum by (code) (${rate('jwks_fetches_total')})`, legend: '{{code}}' }],
      },
      {
        title: 'Time of a fetch, changes and unknown keys',
        description: 'Changes are rotations. Unknown keys are rotations or forged tokens.',
        unit: 's',
        queries: [
          { expr: quantile(0.99, 'jwks_fetch_duration_seconds'), legend: 'p99 of a fetch' },
          {
            expr: `sum(increase(cognito_m2m_jwks_changes_total${JOB}[1h])) or vector(0)`,
            legend: 'changes per hour',
          },
          {
            expr: `sum(${rate('unknown_kids_total')}) or vector(0)`,
            legend: 'unknown keys per second',
          },
        ],
      },
    ],
  },
  {
    title: 'Token proxy',
    charts: [
      {
        title: 'Token requests by outcome',
        description: 'Issued tokens are billed by Cognito.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (outcome, code) (${rate('token_requests_total')})`,
            legend: '{{outcome}} {{code}}',
          },
        ],
      },
      {
        title: 'Time of Cognito and of responses',
        description:
          'Cognito: until it issued a token. Responses: from the cache, or without a token.',
        unit: 's',
        queries: [
          { expr: quantile(0.99, 'upstream_duration_seconds'), legend: 'Cognito p99' },
          {
            expr: quantile(0.99, 'token_request_duration_seconds', ', outcome'),
            legend: '{{outcome}} p99',
          },
        ],
      },
      {
        title: 'Budget',
        description: 'Token requests of the last second, and the limit of all proxies.',
        unit: 'reqps',
        queries: [
          { expr: `sum(cognito_m2m_proxy_budget_used${JOB})`, legend: 'used' },
          { expr: `sum(cognito_m2m_proxy_budget_limit${JOB})`, legend: 'limit' },
          {
            expr: `sum by (credentials) (cognito_m2m_proxy_queued${JOB})`,
            legend: 'queued {{credentials}}',
          },
          { expr: `sum(cognito_m2m_proxy_in_flight${JOB})`, legend: 'in flight' },
        ],
      },
      {
        title: 'State',
        description: 'Token endpoint available, secondary Region in use, store degraded.',
        unit: 'none',
        type: 'stat',
        queries: [
          { expr: `min(cognito_m2m_proxy_upstream_available${JOB})`, legend: 'available' },
          { expr: `max(cognito_m2m_proxy_secondary_region${JOB})`, legend: 'secondary Region' },
          {
            expr: `max by (component) (cognito_m2m_store_degraded${JOB})`,
            legend: 'store degraded {{component}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Token clients',
    charts: [
      {
        title: 'Results of token clients',
        description: 'Cached calls, token requests and failures.',
        unit: 'cps',
        queries: [
          {
            expr: `sum by (outcome, code) (${rate('client_tokens_total')})`,
            legend: '{{outcome}} {{code}}',
          },
        ],
      },
      {
        title: 'Time of a token request',
        description: 'Of a token request with its retries, or of the wait of a call.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'client_token_duration_seconds', ', outcome'),
            legend: '{{outcome}} p99',
          },
        ],
      },
      {
        title: 'Scope sets and remaining time',
        description: 'failing: served from a cached token. down: no token is left.',
        unit: 'none',
        queries: [
          { expr: `sum by (state) (cognito_m2m_client_scope_sets${JOB})`, legend: '{{state}}' },
          {
            expr: `min(cognito_m2m_client_token_remaining_seconds${JOB})`,
            legend: 'shortest token (s)',
          },
        ],
      },
    ],
  },
]

const HEIGHT = 8

type Panels = NonNullable<Dashboard['panels']>

function createPanel(chart: Chart, id: number, x: number, y: number, w: number): Panel {
  const { title, description, unit, queries, type = 'timeseries' } = chart
  return {
    id,
    type,
    title,
    description,
    datasource: DATASOURCE,
    gridPos: { x, y, w, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
  }
}

/** Each section is a row of the dashboard, with its panels side by side. */
function createPanels(): Panels {
  const panels: Panels = []
  let y = 0
  for (const { title, charts } of SECTIONS) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    })
    const width = 24 / charts.length
    for (const [index, chart] of charts.entries()) {
      panels.push(createPanel(chart, panels.length + 1, index * width, y + 1, width))
    }
    y += HEIGHT + 1
  }
  return panels
}

/** The dashboard. The reader chooses a data source and a job. */
export function createDashboard(): Dashboard {
  return {
    uid: 'cognito-m2m',
    title: 'cognito-m2m',
    description: 'Decisions, keys, token proxies and token clients of cognito-m2m/metrics',
    tags: ['cognito-m2m'],
    editable: true,
    schemaVersion: 42,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', label: 'Data source', query: 'prometheus' },
        {
          name: 'job',
          type: 'query',
          label: 'Job',
          datasource: DATASOURCE,
          query: 'label_values({__name__=~"cognito_m2m_.+"}, job)',
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: createPanels(),
  }
}
