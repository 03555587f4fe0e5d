/** Data of the page: the summary, and the chart with the largest clients as layers and the others in one. */
import type { Usage, UsageLine, UsageSeries, UsageSubject, UsageUnit } from '../types.ts'
import {
  type ChartView,
  type LayerView,
  type Range,
  type SummaryView,
  TOKEN_COUNTS,
  type TokenCount,
} from './view.ts'

/** JSON, because ids can contain any separator. */
export function getSubjectKey({ kind, userPoolId, clientId }: UsageSubject): string {
  return JSON.stringify([kind, userPoolId, clientId])
}

export async function createSummary(usage: Usage): Promise<SummaryView> {
  const [report, cost] = await Promise.all([usage.report(), usage.cost()])
  const { clients, ...total } = cost
  const costs = new Map(clients.map((part) => [getSubjectKey(part), part.cost]))
  return {
    at: report.at,
    since: report.since,
    status: usage.status(),
    cost: total,
    clients: report.rows.map(({ firstUsed: _, ...row }) => ({
      ...row,
      monthlyCost: costs.get(getSubjectKey(row)) ?? null,
    })),
  }
}

/** Layers with a separate color. More colors are hard to distinguish. */
const MAX_LAYERS = 7

/** A validated query of `chart.json`. */
interface ChartQuery {
  readonly unit: UsageUnit
  /** Number of buckets, including the current one. */
  readonly buckets: number
  readonly count: TokenCount
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
  const tokenCount = TOKEN_COUNTS.find((name) => name === count)
  if (buckets === undefined || tokenCount === undefined || Object.keys(rest).length > 0) {
    return undefined
  }
  const subject = readQuerySubject(kind, pool, client)
  return subject === undefined ? undefined : { ...buckets, count: tokenCount, subject }
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

export function createChart(series: UsageSeries, query: ChartQuery): ChartView {
  const { buckets, count, subject } = query
  const starts = series.starts.slice(-buckets)
  const getRange = (values: readonly number[]): readonly number[] => values.slice(-buckets)
  const lines = series.lines.map((line) => ({
    ...line,
    issued: getRange(line.issued),
    cached: getRange(line.cached),
  }))
  const layers =
    subject === null
      ? createRankedLayers(lines, count, starts.length)
      : createClientLayers(lines, query, subject)
  return { step: series.step, starts, layers }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function getValues({ issued, cached }: UsageLine, count: TokenCount): readonly number[] {
  if (count === 'issued') return issued
  if (count === 'cached') return cached
  return issued.map((value, index) => value + (cached[index] as number))
}

function createRankedLayers(
  lines: readonly UsageLine[],
  count: TokenCount,
  length: number,
): LayerView[] {
  const layers = lines
    .map(({ kind, userPoolId, clientId, ...line }) => {
      const subject = { kind, userPoolId, clientId }
      const values = getValues({ ...subject, ...line }, count)
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

/** The layers of one client: its issued tokens, its cached tokens, or both. */
function createClientLayers(
  lines: readonly UsageLine[],
  { count }: ChartQuery,
  subject: UsageSubject,
): LayerView[] {
  const line = lines.find((candidate) => getSubjectKey(candidate) === getSubjectKey(subject))
  if (line === undefined) return []
  const counts: readonly TokenCount[] = count === 'all' ? ['issued', 'cached'] : [count]
  return counts.map((name) => ({
    subject,
    clients: 1,
    count: name,
    values: getValues(line, name),
  }))
}
