import type { Act, Answer, Stall, Token } from './answers.d.mts'

export interface LoopDelay {
  readonly p99: number
  readonly max: number
}

export interface LoopDelays {
  readonly harness: LoopDelay
  readonly cognito: LoopDelay
  readonly proxies: readonly LoopDelay[]
}

export interface FinishedAct extends Act {
  readonly name: string
  readonly limits: Limits
  readonly heartbeatMs: number
  readonly delays: LoopDelays
}

export interface Limits {
  readonly waitMs?: number
  readonly extraWaitMs?: number
  readonly refusalWaitMs?: number
  readonly servedWithinMs?: number
  readonly requestsPerLife?: number
  readonly requestRatio?: number
  readonly upstreamPerSecond?: number
  readonly uncachedRequests?: number
  readonly lateRefusals?: number
}

export interface UpstreamRequest {
  readonly at: number
  readonly clientId: string
}

export interface Row {
  readonly name: string
  readonly limits: Limits
  readonly isBusy: boolean
  readonly lagMs: number
  readonly durationMs: number
  readonly faultMs: number
  readonly worstWaitMs: number
  readonly slowest?: Answer
  readonly refusalWaitMs: number
  readonly servedWithinMs: number
  /** Left out where no token was renewed. */
  readonly requestsPerLife?: number
  readonly upstreamPerSecond: number
  readonly uncachedRequests: number
  readonly lateRefusals: number
  readonly wrong: readonly { readonly answer: Answer; readonly reason: string }[]
  readonly pastExpiry: readonly Answer[]
}

export interface RunRecord {
  readonly acts: readonly FinishedAct[]
  readonly answers: readonly (Answer & { readonly sinceFirstMs?: number })[]
  readonly tokens: readonly Token[]
  readonly requests: readonly UpstreamRequest[]
  readonly stalls: readonly Stall[]
}

export function isTooBusy(act: Pick<FinishedAct, 'delays'>): boolean
export function measureLag(act: Pick<FinishedAct, 'delays' | 'heartbeatMs'>): number
export function createRow(act: FinishedAct, record: RunRecord): Row
