/** Set-up of the usage tests: event sources, a clock, and a store with faults. */
import type { Test } from 'tap'
import { type DiagnosticsEvents, nextInstance, publish } from '../../src/core/diagnostics.ts'
import {
  createUsage,
  memoryUsageStore,
  type UsageBatch,
  type UsageDay,
  type UsageOptions,
  type UsagePrice,
  type UsageStore,
} from '../../src/tokens/usage/index.ts'

export const POOL = 'eu-west-1_AbCdEfGhI'
/** 2026-03-10T12:00:00Z, in seconds. */
export const NOON = Date.parse('2026-03-10T12:00:00Z') / 1000
export const HOUR = 3600
export const DAY = 24 * HOUR

export const PRICE: UsagePrice = { currency: 'USD', tiers: [{ price: 2 }] }

type TokenEvent = DiagnosticsEvents['cognito-m2m:token-request']
type DecisionEvent = DiagnosticsEvents['cognito-m2m:decision']

/** Publishes events as a token proxy or a resource server does. */
export function source(userPoolId?: string) {
  const instance = nextInstance()
  return {
    instance,
    status: () => (userPoolId === undefined ? { instance } : { instance, userPoolId }),
    token(outcome: TokenEvent['outcome'], clientId: string | null, pool: string | null = POOL) {
      const userPoolId = clientId === null ? null : pool
      publish('cognito-m2m:token-request', () => ({
        instance,
        userPoolId,
        clientId,
        outcome,
        error: null,
        code: null,
        duration: 0,
      }))
    },
    decision(code: DecisionEvent['code'], clientId: string | null, pool: string | null = POOL) {
      publish('cognito-m2m:decision', () => ({
        instance,
        userPoolId: pool,
        clientId,
        code,
        reason: null,
        duration: 0,
        route: null,
        cached: null,
      }))
    },
  }
}

/** A clock in seconds that a test sets. */
export class Clock {
  seconds = NOON
  readonly now = (): number => this.seconds * 1000
}

/** Usage with an attached source and a flush interval of a minute. */
export function begin(t: Test, options: Partial<UsageOptions> = {}) {
  const clock = new Clock()
  const usage = createUsage({ price: PRICE, now: clock.now, flushInterval: 60, ...options })
  t.teardown(() => usage.close())
  const attached = source()
  usage.attach(attached)
  return { usage, clock, source: attached }
}

/** A store that rejects, throws, hangs or loses its responses. */
export class FaultyStore implements UsageStore {
  readonly memory = memoryUsageStore()
  fault: 'none' | 'reject' | 'throw' | 'hang' | 'lose' = 'none'
  readonly batches: UsageBatch[] = []
  closed = 0

  async respond<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.fault === 'hang') return new Promise(() => {})
    if (this.fault === 'reject') throw new Error('secret of the store')
    const answer = await ask()
    if (this.fault === 'lose') throw new Error('the answer is lost')
    return answer
  }

  add(batch: UsageBatch): Promise<void> {
    this.batches.push(batch)
    if (this.fault === 'throw') throw new Error('secret of the store')
    return this.respond(() => this.memory.add(batch))
  }

  totals() {
    return this.respond(() => this.memory.totals())
  }

  buckets(...args: Parameters<UsageStore['buckets']>) {
    return this.respond(() => this.memory.buckets(...args))
  }

  close() {
    this.closed += 1
    return this.respond(() => this.memory.close())
  }
}

/** Lines that a logger received. */
export function logged() {
  const lines: (readonly [string, object, string])[] = []
  const level = (name: string) => (details: object, message: string) =>
    void lines.push([name, details, message])
  return { lines, info: level('info'), warn: level('warn'), error: level('error') }
}

/** A day of a client with an id, and of an unattributed one without. */
export function createDay(
  at: string,
  clientId: string | null,
  issued: number,
  parts: Partial<UsageDay> = {},
): UsageDay {
  return {
    day: at,
    kind: clientId === null ? 'unattributed' : 'client',
    userPoolId: POOL,
    clientId,
    issued,
    cached: 0,
    firstUsed: null,
    lastUsed: null,
    ...parts,
  }
}
