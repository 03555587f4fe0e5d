export interface RecordedRequest {
  readonly region: 'primary' | 'secondary'
  readonly sentAt: number
  readonly endedAt: number
  readonly isIssued: boolean
}

export interface SourceSummary {
  readonly tokens: number
  readonly hasToMove: boolean
  readonly moveMs: number | undefined
  readonly isBack: boolean
}

export interface RegionRow {
  readonly fault: string | null
  readonly errors: number
  readonly sources: readonly SourceSummary[]
}

export function summarizeRequests(
  requests: readonly RecordedRequest[],
  times: { readonly faultAt: number; readonly healedAt: number },
): SourceSummary
export function judgeRow(
  row: RegionRow,
  control: RegionRow,
  limits: { readonly lagMs: number; readonly hasTimeToReturn: boolean },
): readonly string[]
export function countTokens(row: RegionRow): number
