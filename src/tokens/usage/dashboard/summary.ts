/** What is shown but the chart: a report with each client's part of the cost. */
import type { Usage, UsageSubject } from '../types.ts'
import type { SummaryView } from './view.ts'

/** Ids may hold any character, so that no separator could keep two subjects apart. */
export function nameOf({ kind, userPoolId, clientId }: UsageSubject): string {
  return JSON.stringify([kind, userPoolId, clientId])
}

export async function summaryOf(usage: Usage): Promise<SummaryView> {
  const [report, cost] = await Promise.all([usage.report(), usage.cost()])
  const { clients: parts, ...total } = cost
  const costs = new Map(parts.map((part) => [nameOf(part), part.cost]))
  return {
    at: report.at,
    since: report.since,
    status: usage.status(),
    cost: total,
    clients: report.rows.map(({ firstUsed: _, ...row }) => ({
      ...row,
      monthlyCost: costs.get(nameOf(row)) ?? null,
    })),
  }
}
