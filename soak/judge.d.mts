/** Milliseconds on one clock; left out where it has not come yet. */
export interface Key {
  readonly publishedAt: number
  readonly removedAt?: number
}

export interface Outage {
  readonly from: number
  readonly until?: number
  /** The machine was too busy, the endpoint was well. */
  readonly isBusy?: true
}

export interface Answered {
  readonly kind: 'valid' | 'bad signature' | 'expired' | 'garbage' | 'random kid'
  /** The key it names, where the pool ever had it. */
  readonly key?: Key
  readonly sentAt: number
  readonly answeredAt: number
  /** Left out where the connection broke. */
  readonly status?: number
  readonly code?: string
}

export type Wrong = 'valid refused' | 'invalid accepted' | 'removed accepted' | 'other'

/** The outages, and between them when the machine was too busy, in order. */
export function withBusyTimes(
  outages: readonly Outage[],
  answers: readonly Answered[],
): readonly Outage[]
export function judge(answer: Answered, outages: readonly Outage[]): Wrong | undefined
export function columnOf(answer: Answered, outages: readonly Outage[]): string
