/**
 * The primary Region is lost under load and comes back, by every fault, for clients and proxies over both token APIs. No
 * caller sees an error, renewals move to the secondary Region and back, and no token is requested twice. The clocks are
 * injected; soak/regions does the same in real time.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { createResourceServer, type DiagnosticsEvents } from '../../../src/index.ts'
import {
  type ReplicatedUserPool,
  startUserPool,
  type TokenFault,
} from '../../../src/testing/index.ts'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { decode } from '../../support/http.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import { startProxy, until } from '../../support/proxy.ts'
import { RealLimit } from '../../support/real-limit.ts'
import { APIS, type Api } from './sources.ts'

const CLIENTS = ['billing', 'shipping', 'reporting']
const SECRET = 'local-secret'
const SCOPES = ['orders/read', 'orders/write'] as const
const FAULTS: readonly (TokenFault | null)[] = ['refuse', 'hang', '500', 'inactive', null]
/** Callers of a token at the same time. */
const CALLERS = 5
/** Seconds. A token of 300 s is renewed every 225 s. */
const STEP = 15
/** A renewal is in flight when the fault begins, and another one is due before it ends. */
const FAULT_FROM = 450
const FAULT_UNTIL = 750
const END = 1200

/** Longest request to the primary Region. */
const primaryLimit = new RealLimit(1750)

interface Source {
  /** Returns a token, or rejects. */
  readonly get: (clientId: string, scope: (typeof SCOPES)[number]) => Promise<string>
  readonly settled: () => Promise<void>
  /** Regions of all clients or of the proxy. */
  readonly regions: () => readonly string[]
}

/** The option that selects the API, with two Regions. */
function regionOption({ replica, tokenEndpoint, userPoolsApi }: ReplicatedUserPool, api: Api) {
  return api === 'tokenEndpoint'
    ? { tokenEndpoint: [tokenEndpoint, replica.tokenEndpoint] as const }
    : { userPoolsApi: [userPoolsApi, replica.userPoolsApi] as const }
}

function startClients(t: Test, pool: ReplicatedUserPool, api: Api, clocks: Clocks): Source {
  const clients = new Map(
    CLIENTS.map((clientId) => {
      const { now, monotonicNow } = clocks
      const client = createTokenClient({
        ...regionOption(pool, api),
        clientId,
        clientSecret: SECRET,
        now,
        monotonicNow,
      })
      t.teardown(() => client.close())
      return [clientId, client] as const
    }),
  )
  const all = [...clients.values()]
  return {
    get: async (clientId, scope) => {
      const token = await clients.get(clientId)?.getToken({ scopes: scope })
      return token?.accessToken ?? ''
    },
    settled: () =>
      until(() =>
        all.every((client) => client.status().scopeSets.every((set) => !set.isRequesting)),
      ),
    regions: () => all.map((client) => client.status().region),
  }
}

async function startProxySource(
  t: Test,
  pool: ReplicatedUserPool,
  api: Api,
  clocks: Clocks,
): Promise<Source> {
  const { now, monotonicNow } = clocks
  const { app, inject } = await startProxy(t, { ...regionOption(pool, api), now, monotonicNow })
  return {
    get: async (clientId, scope) => {
      const { status, json, text } = await inject({ clientId, secret: SECRET, scope })
      if (status !== 200) throw new Error(`${status} ${text}`)
      return String(json['access_token'])
    },
    settled: () => until(() => app.tokenProxy.status().inFlight === 0),
    regions: () => [app.tokenProxy.status().region],
  }
}

/** Counts the tokens that both Regions issue. */
function countTokens(t: Test, pool: ReplicatedUserPool): { readonly issued: number } {
  const instances = [pool.status().instance, pool.replica.status().instance]
  const counter = { issued: 0 }
  const count = (message: unknown): void => {
    const event = message as DiagnosticsEvents['cognito-m2m:token-request']
    if (instances.includes(event.instance) && event.outcome === 'issued') counter.issued += 1
  }
  subscribe('cognito-m2m:token-request', count)
  t.teardown(() => unsubscribe('cognito-m2m:token-request', count))
  return counter
}

interface Story {
  readonly errors: readonly string[]
  readonly issued: number
  /** Issuers of the tokens that callers got at the end of the fault, and at the end of the story. */
  readonly duringFault: ReadonlySet<unknown>
  readonly atEnd: ReadonlySet<unknown>
  readonly regionsDuringFault: readonly string[]
  readonly regionsAtEnd: readonly string[]
  readonly pool: ReplicatedUserPool
}

/** Starts a pool, its callers, and an API that verifies their tokens. */
async function startStory(t: Test, api: Api, kind: 'clients' | 'proxy') {
  const clocks = new Clocks()
  const pool = await startUserPool({
    replica: true,
    quota: false,
    now: clocks.now,
    clients: CLIENTS.map((clientId) => ({
      clientId,
      clientSecrets: [SECRET],
      scopes: SCOPES,
      accessTokenValidity: 300,
    })),
  })
  t.teardown(() => pool.close())
  const source =
    kind === 'clients'
      ? startClients(t, pool, api, clocks)
      : await startProxySource(t, pool, api, clocks)
  const server = createResourceServer(pool.options())
  t.teardown(() => server.close())
  return { clocks, pool, source, guard: server.guard(), counter: countTokens(t, pool) }
}

async function playStory(
  t: Test,
  api: Api,
  kind: 'clients' | 'proxy',
  fault: TokenFault | null,
): Promise<Story> {
  const { clocks, pool, source, guard, counter } = await startStory(t, api, kind)
  const errors: string[] = []
  let issuers = new Set<unknown>()
  const call = async (clientId: string, scope: (typeof SCOPES)[number]): Promise<void> => {
    try {
      const token = await source.get(clientId, scope)
      issuers.add((await guard(`Bearer ${token}`)).issuer)
      if (decode(token, 1)['scope'] !== scope) errors.push(`another scope for ${clientId}`)
    } catch (error) {
      errors.push(String(error))
    }
  }
  const callers = CLIENTS.flatMap((clientId) =>
    SCOPES.flatMap((scope) => Array.from({ length: CALLERS }, () => () => call(clientId, scope))),
  )
  let duringFault = issuers
  let regionsDuringFault: readonly string[] = []
  for (let time = 0; time <= END; time += STEP) {
    issuers = new Set()
    const calls = callers.map((start) => start())
    // Requests are in flight.
    if (time === FAULT_FROM) {
      if (fault === 'hang') primaryLimit.shorten()
      await pool.setTokenFault(fault)
    }
    if (time === FAULT_UNTIL) {
      primaryLimit.lengthen()
      await pool.setTokenFault(null)
    }
    await Promise.all(calls)
    await source.settled()
    if (time === FAULT_UNTIL - STEP) {
      duringFault = issuers
      regionsDuringFault = source.regions()
    }
    clocks.advance(STEP * SECOND)
  }
  const atEnd = issuers
  const regionsAtEnd = source.regions()
  const { issued } = counter
  return { errors, issued, duringFault, atEnd, regionsDuringFault, regionsAtEnd, pool }
}

for (const kind of ['clients', 'proxy'] as const) {
  for (const api of APIS) {
    t.test(`${kind} over ${api}`, async (t) => {
      const issued = new Map<TokenFault | null, number>()
      for (const fault of FAULTS) {
        const story = await playStory(t, api, kind, fault)
        const { pool } = story
        const label = `fault: ${fault}`
        t.strictSame(story.errors, [], label)
        const { issuer } = fault === null ? pool : pool.replica
        t.strictSame([...story.duringFault], [issuer], `${label}: renewals have moved`)
        const region = fault === null ? 'primary' : 'secondary'
        t.ok(
          story.regionsDuringFault.every((it) => it === region),
          label,
        )
        t.strictSame([...story.atEnd], [pool.issuer], `${label}: and moved back`)
        t.ok(
          story.regionsAtEnd.every((it) => it === 'primary'),
          label,
        )
        issued.set(fault, story.issued)
        await pool.close()
      }
      const without = issued.get(null) ?? 0
      t.ok(without >= CLIENTS.length * SCOPES.length * 5, `${without} tokens`)
      for (const [fault, count] of issued) {
        t.ok(count <= 1.05 * without, `fault ${fault}: ${count} tokens, ${without} without one`)
      }
    })
  }
}
