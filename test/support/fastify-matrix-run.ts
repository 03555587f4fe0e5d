/** Runs cells of the protection matrix: what each credential gets, and what reaches the handler. */
import fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { VerifiedToken } from '../../src/index.ts'
import { type Answer, answerOf, forged, right, withAuth, wrongScope } from './fastify.ts'
import { type Annotation, annotations, type Kind, moments, places } from './fastify-matrix.ts'
import { pairsOf, sample } from './sample.ts'

const label = (auth: VerifiedToken | null | undefined) =>
  auth === null ? 'null' : (auth?.clientId ?? 'undefined')

interface Observed extends Partial<Answer> {
  readonly status: number
  /** `request.auth` of every call of the handler. */
  readonly reached: readonly string[]
}

const probes = { none: undefined, wrongScope, right, forged }
type Probe = keyof typeof probes

const refused: Record<string, Answer> = {
  missing: {
    status: 401,
    code: 'ERR_TOKEN_MISSING',
    challenge: 'Bearer realm="api"',
    cacheControl: 'no-store',
  },
  scope: {
    status: 403,
    code: 'ERR_SCOPE_INSUFFICIENT',
    challenge:
      'Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope required here", scope="orders/read"',
    cacheControl: 'no-store',
  },
  signature: {
    status: 401,
    code: 'ERR_TOKEN_SIGNATURE',
    challenge:
      'Bearer realm="api", error="invalid_token", error_description="The access token has an invalid signature"',
    cacheControl: 'no-store',
  },
}

const USELESS =
  'expected cognitoAuth in this context or in one around it, got none. Register cognitoAuth there first.'

/** A route with config.auth that no registration guards. */
const UNGUARDED =
  'expected a registration of cognitoAuth around the route, got none. Wrap the plugin'

/** Upgrades without a socket show only the status; websocket.test.ts checks the headers. */
const nothing = { code: undefined, challenge: undefined, cacheControl: undefined }

/** What the contract says: a refusal by name, or `request.auth` of the handler that was reached. */
function expected(annotation: string, place: string, probe: Probe): string {
  if (place === 'a sibling') return 'undefined'
  if (annotation === 'false') return 'null'
  if (probe === 'forged') return 'signature'
  if (probe === 'none') return annotation === 'optional' ? 'null' : 'missing'
  const scoped = annotation === 'scopes' || annotation === 'optional'
  return probe === 'wrongScope' && scoped ? 'scope' : 'billing'
}

function expectation(outcome: string, kind: Kind): Observed {
  const refusal = refused[outcome]
  if (refusal === undefined) {
    return { status: kind.socket ? 101 : 200, reached: [kind.blind ? 'reached' : outcome] }
  }
  if (kind.socket) return { ...nothing, status: refusal.status, reached: [] }
  const bodiless = kind.request.method === 'HEAD'
  return { ...refusal, code: bodiless ? undefined : refusal.code, reached: [] }
}

async function ask(app: FastifyInstance, kind: Kind, authorization?: string): Promise<Answer> {
  const { url, method = 'GET' } = kind.request
  const headers = { ...kind.request.headers, ...withAuth(authorization) }
  if (kind.socket === undefined) return answerOf(await app.inject({ method, url, headers }))
  try {
    const socket = await app.injectWS(url, { headers })
    socket.terminate()
    return { status: 101, ...nothing }
  } catch (error) {
    return { status: Number(/response: (\d+)$/.exec((error as Error).message)?.[1]), ...nothing }
  }
}

/** Builds the app of one cell and answers what each probe got, or why it did not start. */
async function observe(
  kind: Kind,
  moment: keyof typeof moments,
  place: keyof typeof places,
  annotation: Annotation,
): Promise<Record<string, Observed> | string> {
  const app = fastify()
  let reached: string[] = []
  const declare = (scope: FastifyInstance) =>
    kind.declare(scope, annotation, (request) => {
      const auth = request?.auth
      reached.push(request === undefined ? 'reached' : label(auth))
    })
  await kind.prepare?.(app)
  await places[place]?.(app, declare, moments[moment] as (typeof moments)[string])
  try {
    await app.ready()
  } catch (error) {
    const { message } = error as Error
    return [USELESS, UNGUARDED].find((part) => message.includes(part)) ?? message
  }
  const observed: Record<string, Observed> = {}
  for (const [probe, authorization] of Object.entries(probes)) {
    reached = []
    const answer = await ask(app, kind, authorization)
    // Headers of an answer by the handler are its own business.
    const { status } = answer
    observed[probe] = status < 400 && !answer.code ? { status, reached } : { ...answer, reached }
  }
  await app.close()
  return observed
}

/** What a cell has to show. */
function wantedOf(kind: Kind, place: string, annotation: string): unknown {
  if (place === 'a sibling' && annotation !== 'none') {
    if (kind.byDefault) return USELESS
    if (annotation !== 'false') return UNGUARDED
  }
  return Object.fromEntries(
    Object.keys(probes).map((probe) => {
      return [probe, expectation(expected(annotation, place, probe as Probe), kind)]
    }),
  )
}

type Cell = readonly [kind: string, moment: string, place: string, annotation: string]

function cellsOf(kinds: Record<string, Kind>): Cell[] {
  return Object.keys(kinds).flatMap((kind) =>
    Object.keys(moments).flatMap((moment) =>
      Object.keys(places).flatMap((place) =>
        Object.keys(annotations).map((annotation): Cell => [kind, moment, place, annotation]),
      ),
    ),
  )
}

/**
 * Runs each kind in every moment, place and annotation, or in every pair of them.
 * The count keeps the cells from getting fewer.
 */
export function runMatrix(t: Test, kinds: Record<string, Kind>, count: number): void {
  const all = cellsOf(kinds)
  const cells = sample(`protection matrix: ${Object.keys(kinds)[0]}`, all, pairsOf)
  for (const [kindName, kind] of Object.entries(kinds)) {
    t.test(kindName, async (t) => {
      for (const [ofKind, moment, place, annotation] of cells) {
        if (ofKind !== kindName) continue
        const name = `${kindName} in ${place}, declared ${moment}, auth: ${annotation}`
        const wanted = wantedOf(kind, place, annotation)
        t.strictSame(await observe(kind, moment, place, annotations[annotation]), wanted, name)
      }
    })
  }
  t.test('every cell of the matrix was run', async (t) => {
    t.equal(all.length, count)
  })
}
