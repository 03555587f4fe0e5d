/** Data of the chart, with the largest clients as layers and the others in one. */
import { formatDay, SECONDS_PER_DAY } from '../history/days.ts'
import type { Usage, UsageLine, UsageSeries, UsageSubject, UsageUnit } from '../types.ts'
import { type ClientLookup, getSubjectKey, nameSubject } from './subjects.ts'
import { listSubjectAnomalies } from './summary.ts'
import {
  type AnomalyView,
  CHART_COUNTS,
  type ChartCount,
  type ChartView,
  type LayerView,
  type Range,
} from './view.ts'

/** Layers with a separate color. More colors are hard to distinguish. */
const MAX_LAYERS = 7

/** A validated query of `chart.json`. */
interface ChartQuery {
  readonly unit: UsageUnit
  /** Number of buckets, including the current one. */
  readonly buckets: number
  readonly count: ChartCount
  /** Restricts the chart to one subject. */
  readonly subject: UsageSubject | null
}

const RANGES: ReadonlyMap<unknown, Pick<ChartQuery, 'unit' | 'buckets'>> = new Map<
  Range,
  Pick<ChartQuery, 'unit' | 'buckets'>
>([
  ['24h', { unit: 'hour', buckets: 24 }],
  ['7d', { unit: 'hour', buckets: 168 }],
  ['30d', { unit: 'day', buckets: 30 }],
  ['90d', { unit: 'day', buckets: 90 }],
])

/** @returns Undefined for unknown, repeated or invalid parameters. */
export function readChartQuery(query: Readonly<Record<string, unknown>>): ChartQuery | undefined {
  const { range = '30d', count = 'issued', pool, client, kind, ...rest } = query
  const buckets = RANGES.get(range)
  const chartCount = CHART_COUNTS.find((name) => name === count)
  if (buckets === undefined || chartCount === undefined || Object.keys(rest).length > 0) {
    return undefined
  }
  const subject = readQuerySubject(kind, pool, client)
  return subject === undefined ? undefined : { ...buckets, count: chartCount, subject }
}

function readQuerySubject(
  kind: unknown,
  pool: unknown,
  client: unknown,
): UsageSubject | null | undefined {
  if (kind === undefined && pool === undefined && client === undefined) return null
  if (kind === 'client' && typeof pool === 'string' && typeof client === 'string') {
    return { kind, userPoolId: pool, clientId: client }
  }
  const isSharedKind = kind === 'other' || kind === 'unverified'
  if (!isSharedKind || pool !== undefined || client !== undefined) return undefined
  return { kind, userPoolId: null, clientId: null }
}

export async function createChart(
  usage: Usage,
  query: ChartQuery,
  lookUp: ClientLookup,
): Promise<ChartView> {
  const { unit, buckets, count, subject } = query
  const series = await usage.series(unit)
  const { tokenCosts, currency } =
    count === 'cost' ? await readTokenCosts(usage, series) : { tokenCosts: [], currency: null }
  const matching =
    subject === null
      ? series.lines
      : series.lines.filter((line) => getSubjectKey(line) === getSubjectKey(subject))
  const lines = matching.map(
    (line): Line => ({
      subject: nameSubject(line, lookUp),
      getValues: (name) => getValues(line, name, tokenCosts).slice(-buckets),
    }),
  )
  const starts = series.starts.slice(-buckets)
  return {
    currency,
    step: series.step,
    starts,
    layers:
      subject === null
        ? createRankedLayers(lines, count, starts.length)
        : createClientLayers(lines, count),
    anomalies:
      unit === 'hour' || count === 'cached'
        ? []
        : listChartAnomalies({ ...series, lines: matching }, starts[0] as number, lookUp),
  }
}

interface Line {
  readonly subject: LayerView['subject']
  getValues(count: ChartCount): readonly number[]
}

interface TokenCosts {
  /** Cost of one token of each bucket: that of its month, whose tokens share the cost. */
  readonly tokenCosts: readonly number[]
  readonly currency: string | null
}

async function readTokenCosts(usage: Usage, { starts }: UsageSeries): Promise<TokenCosts> {
  const { periods, currency } = await usage.history({ by: 'month', group: 'total' })
  const months = new Map(
    periods.map(({ period, cost, issued }) => [period, issued === 0 ? 0 : Number(cost) / issued]),
  )
  const tokenCosts = starts.map((start) => {
    const month = formatDay(Math.floor(start / SECONDS_PER_DAY)).slice(0, 7)
    return months.get(month) ?? 0
  })
  return { tokenCosts, currency }
}

function listChartAnomalies(
  { starts, lines }: UsageSeries,
  from: number,
  lookUp: ClientLookup,
): readonly AnomalyView[] {
  return lines
    .flatMap((line) =>
      listSubjectAnomalies(starts, line.issued).map((anomaly) => ({
        ...nameSubject(line, lookUp),
        ...anomaly,
      })),
    )
    .filter(({ start }) => start >= from)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function getValues(
  { issued, cached }: UsageLine,
  count: ChartCount,
  tokenCosts: readonly number[],
): readonly number[] {
  if (count === 'issued') return issued
  if (count === 'cached') return cached
  if (count === 'cost') return issued.map((value, index) => value * (tokenCosts[index] as number))
  return issued.map((value, index) => value + (cached[index] as number))
}

function createRankedLayers(
  lines: readonly Line[],
  count: ChartCount,
  length: number,
): LayerView[] {
  const layers = lines
    .map(({ subject, getValues }) => {
      const values = getValues(count)
      return { total: sum(values), layer: { subject, clients: 1, count, values } }
    })
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total)
    .map(({ layer }) => layer)
  // A single remaining client gets its own layer.
  if (layers.length <= MAX_LAYERS + 1) return layers
  const rest = layers.slice(MAX_LAYERS)
  const values = Array.from({ length }, (_, index) =>
    sum(rest.map((layer) => layer.values[index] as number)),
  )
  return [...layers.slice(0, MAX_LAYERS), { subject: null, clients: rest.length, count, values }]
}

/** The layers of one client: its issued tokens, its cached tokens, both, or its cost. */
function createClientLayers(lines: readonly Line[], count: ChartCount): LayerView[] {
  const counts: readonly ChartCount[] = count === 'all' ? ['issued', 'cached'] : [count]
  return lines.flatMap(({ subject, getValues }) =>
    counts.map((name) => ({ subject, clients: 1, count: name, values: getValues(name) })),
  )
}
