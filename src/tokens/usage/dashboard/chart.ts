/** What the chart draws: the largest clients of a range as layers, all others in one. */
import type { Usage, UsageLine, UsageSeries, UsageSubject, UsageUnit } from '../types.ts'
import {
  type ChartView,
  type LayerView,
  type Range,
  type SummaryView,
  TOKEN_COUNTS,
  type TokenCount,
} from './view.ts'

/** Ids may hold any character, so that no separator could keep two subjects apart. */
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

/** Layers with a colour of their own: more are not told apart. */
const MAX_LAYERS = 7

/** What is asked for. */
interface ChartQuery {
  readonly unit: UsageUnit
  /** How many buckets, the one still being filled included. */
  readonly buckets: number
  readonly count: TokenCount
  /** This one alone. */
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

/** @returns undefined where the query names something else, or something twice. */
export function readChartQuery(query: Readonly<Record<string, unknown>>): ChartQuery | undefined {
  const { range = '30d', count = 'issued', pool, client, kind, ...rest } = query
  const found = RANGES.get(range)
  const known = TOKEN_COUNTS.find((it) => it === count)
  if (found === undefined || known === undefined || Object.keys(rest).length > 0) return undefined
  const subject = readQuerySubject(kind, pool, client)
  return subject === undefined ? undefined : { ...found, count: known, subject }
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
  const together = kind === 'other' || kind === 'unverified'
  if (!together || pool !== undefined || client !== undefined) return undefined
  return { kind, userPoolId: null, clientId: null }
}

export function createChart(series: UsageSeries, query: ChartQuery): ChartView {
  const { buckets, count, subject } = query
  const starts = series.starts.slice(-buckets)
  const tail = (values: readonly number[]): readonly number[] => values.slice(-buckets)
  const lines = series.lines.map((line) => ({
    ...line,
    issued: tail(line.issued),
    cached: tail(line.cached),
  }))
  const layers =
    subject === null
      ? createRankedLayers(lines, count, starts.length)
      : createClientLayers(lines, query, subject)
  return { step: series.step, starts, layers }
}

const sum = (values: readonly number[]): number => values.reduce((total, it) => total + it, 0)

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
  // A single one is not worth a name that says less.
  if (layers.length <= MAX_LAYERS + 1) return layers
  const rest = layers.slice(MAX_LAYERS)
  const values = Array.from({ length }, (_, index) =>
    sum(rest.map((it) => it.values[index] as number)),
  )
  return [...layers.slice(0, MAX_LAYERS), { subject: null, clients: rest.length, count, values }]
}

/** Of one client it is shown what came from where. */
function createClientLayers(
  lines: readonly UsageLine[],
  { count }: ChartQuery,
  subject: UsageSubject,
): LayerView[] {
  const line = lines.find((it) => getSubjectKey(it) === getSubjectKey(subject))
  if (line === undefined) return []
  const counts: readonly TokenCount[] = count === 'all' ? ['issued', 'cached'] : [count]
  return counts.map((it) => ({ subject, clients: 1, count: it, values: getValues(line, it) }))
}
