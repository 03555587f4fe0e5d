/** A key set endpoint in memory: an injected `fetch` whose answers and moments a test decides. */
import type { KeyObject } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  KeyStore,
  type KeyStoreConfig,
  type KeyStoreTiming,
} from '../../src/core/keys/key-store.ts'
import type { JsonWebKey } from '../../src/index.ts'
import { makeKeyPair } from './forge.ts'

/** Two key pairs serve all tests of a process: making one costs 150 ms. */
const pairs = [0, 1].map(() => makeKeyPair())

export function publicJwk(kid: string, pair = 0): JsonWebKey {
  const { publicKey } = pairs[pair] as { publicKey: KeyObject }
  return { kid, alg: 'RS256', use: 'sig', ...publicKey.export({ format: 'jwk' }) } as JsonWebKey
}

export function keySet(...kids: string[]): { keys: JsonWebKey[] } {
  return { keys: kids.map((kid) => publicJwk(kid)) }
}

export type Answer = () => Response | Promise<Response>

export const good =
  (...kids: string[]): Answer =>
  () =>
    Response.json(keySet(...kids))
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response('no', { status: code, headers })
export const refused: Answer = () => {
  throw Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('connect 10.1.2.3'), { code: 'ECONNREFUSED' }),
  })
}
export const hang: Answer = () => new Promise(() => {})

/** Responds by host, so that both issuer forms can be distinguished, and counts requests. */
export class KeyEndpoint {
  readonly asked: string[] = []
  readonly answers = new Map<string, Answer>()
  #gates: (() => void)[] = []
  /** While true, answers wait for {@link release}. */
  gated = false

  answer(answer: Answer, host = 'original'): this {
    this.answers.set(host, answer)
    return this
  }

  readonly fetch: typeof globalThis.fetch = async (input) => {
    const { hostname } = new URL(String(input))
    const host = hostname.split('.')[0] as string
    this.asked.push(host)
    const answer = this.answers.get(host) ?? status(404)
    if (this.gated) await new Promise<void>((resolve) => this.#gates.push(resolve))
    return answer()
  }

  release(): void {
    for (const open of this.#gates.splice(0)) open()
  }
}

/** Both clocks of a store, moved by hand, in milliseconds. */
export class Clocks {
  wall = 1_700_000_000_000
  monotonic = 5_000

  readonly now = (): number => this.wall
  readonly monotonicNow = (): number => this.monotonic

  advance(milliseconds: number): void {
    this.wall += milliseconds
    this.monotonic += milliseconds
  }
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly details: object
  readonly message: string
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export function openStore(
  endpoint: KeyEndpoint,
  clocks: Clocks,
  {
    forms = ['original'],
    regions = [],
    given,
    ...timing
  }: Partial<KeyStoreTiming> & {
    readonly forms?: readonly string[]
    /** Of the forms, one each. */
    readonly regions?: readonly string[]
    readonly given?: KeyStoreConfig['staticKeys']
  } = {},
): { store: KeyStore; log: LogLine[] } {
  const log: LogLine[] = []
  const write =
    (level: LogLine['level']) =>
    (details: object, message: string): void => {
      log.push({ level, details, message })
    }
  const store = new KeyStore({
    instance: 1,
    userPoolId: 'eu-west-1_AbCdEfGhI',
    issuers: forms.map((form, index) => {
      const { [index]: region } = regions
      return {
        issuer: `https://${form}.example`,
        jwksUri: `https://${form}.example/jwks.json`,
        ...(region === undefined ? {} : { region }),
      }
    }),
    staticKeys: given,
    timing: {
      startup: 'warn',
      refreshIntervalMs: 5 * MINUTE,
      cooldownMs: 5 * SECOND,
      maxStaleMs: 24 * HOUR,
      fetchTimeoutMs: 3 * SECOND,
      ...timing,
    },
    fetch: endpoint.fetch,
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    logger: { info: write('info'), warn: write('warn'), error: write('error') },
  })
  return { store, log }
}

/** Lets everything that is ready to run, run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate()
}

/** What came of looking for a kid, in a word. */
export async function find(store: KeyStore, kid: string, form = 0): Promise<string> {
  const answer = await (store.issuers[form] as KeyStore['issuers'][0]).find(kid)
  if (answer.kind === 'unknown') return 'ERR_KEY_UNKNOWN'
  if (answer.kind === 'key') return 'key'
  return `unavailable ${Math.ceil(answer.retryAfter / 1000)}`
}
