/** Milliseconds of one clock, as everywhere in the soak of the proxy. */
export interface Token {
  readonly clientId: string
  readonly scope: string
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface Act {
  readonly beganAt: number
  readonly endedAt: number
  readonly faultAt: number
  readonly healedAt: number
  readonly refusals: 'none' | 'uncached' | 'new' | 'any'
  readonly uncached?: object
  /** Cognito answers 429 to clients without a cached token. */
  readonly isThrottled?: true
}

export interface Answer {
  /** Index of the proxy. */
  readonly process: number
  readonly kind: 'ordinary' | 'uncached' | 'new'
  readonly act: Act
  readonly clientId: string
  readonly scope: string
  readonly sentAt: number
  readonly answeredAt: number
  /** Left out where there was no answer. */
  readonly status?: number
  readonly code?: string
  readonly token?: Token
  readonly expiresIn?: unknown
  readonly retryAfter?: string
}

export interface Stall {
  readonly from: number
  readonly until: number
  /** Index of the proxy that stood still; left out where it was Redis or the links. */
  readonly proxy?: number
}

export interface AnswerRecord {
  readonly stalls: readonly Stall[]
  readonly tokens: readonly Token[]
  readonly acts: readonly Act[]
  readonly lagMs: number
  readonly isBusy?: boolean
}

export function findError(answer: Answer, record: AnswerRecord): string | undefined
export function isRefusal(answer: Answer): boolean
export function isPastExpiry(answer: Answer, lagMs: number): boolean
