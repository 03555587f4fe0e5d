/** Every hostile case at every surface: rejected with the right response, and without disclosure. */
import t, { type Test } from 'tap'
import { splitJoinedLines } from '../../../src/adapters/joined-lines.ts'
import { CLIENT } from '../../support/forge.ts'
import { isComplete, sample } from '../../support/sample.ts'
import {
  type Answer,
  type Door,
  type Surface,
  surfaces,
  surfacesByCache,
  thinSurfaces,
} from '../behavior/surfaces.ts'
import { openAttackerSite } from './attacker-server.ts'
import { acceptedCases, hostileCases, overview, repetitions } from './cases.ts'
import { expected, judge, nameOf, type Wrong } from './expected-rejection.ts'
import { type AcceptedCase, type DoorName, GOOD, type HostileCase } from './hostile-case.ts'
import { type DoorPlan, doorPlans, KEYS_URL } from './options.ts'

/** Hostile cases between two good tokens. */
const CONTROL_EVERY = 50

const site = await openAttackerSite()
const fetched: string[] = []
const plans = doorPlans(fetched)
const hostile = hostileCases(site.port)
const accepted = acceptedCases(site.port)

t.test('the matrix has the documented size', async (t) => {
  t.strictSame(repetitions([...hostile, ...accepted]), [], 'no case is asked twice')
  t.ok(hostile.length >= 400, `${hostile.length} hostile cases`)
  for (const line of overview(hostile)) t.comment(line)
  t.comment(`${hostile.length} hostile cases, ${accepted.length} accepted neighbours`)
})

/** Whether a surface's transport can carry a case: HTTP not every value, API Gateway one line. */
function carries(surface: Surface, { transport, authorization }: AcceptedCase): boolean {
  if (surface.oneLine && Array.isArray(authorization) && authorization.length > 1) return false
  return surface.transport === 'direct' || transport !== 'direct'
}

/** The cases that this surface can receive under these options. */
function fitting<Case extends AcceptedCase>(all: readonly Case[], surface: Surface, door: string) {
  return all.filter((it) => it.door === door && carries(surface, it))
}

/** Accepted cases of the claim `scope` have none that an MCP server could require. */
function neighbors(surface: Surface, door: string): readonly AcceptedCase[] {
  const all = fitting(accepted, surface, door)
  return surface.requiresScope ? all.filter(({ field }) => field !== 'scope') : all
}

/** A door that throws instead of answering decided wrongly too. */
async function verdictOf(it: HostileCase, door: Door, surface: string): Promise<Wrong | undefined> {
  try {
    return judge(it, await door.ask(it.authorization), surface)
  } catch (error) {
    return { hostile: nameOf(it), seen: { threw: String(error) }, expected: expected(it, surface) }
  }
}

function asReceived(surface: Surface, it: HostileCase): HostileCase {
  const { authorization } = it
  const isJoined =
    typeof authorization === 'string' && Array.isArray(splitJoinedLines(authorization))
  return surface.joinsLines && isJoined ? { ...it, code: 'ERR_REQUEST_INVALID' } : it
}

/** Core runs every case. Other surfaces run a sample with every code, clause and field. */
function chosen(surface: Surface): readonly HostileCase[] {
  const all = hostile.filter((it) => carries(surface, it)).map((it) => asReceived(surface, it))
  if (surface.name === 'core') return all
  return sample(`hostile cases: ${surface.name}`, all, ({ door, code, clause, field }) => [
    `${door} ${code}`,
    `${door} ${clause}`,
    `${clause} ${field}`,
  ])
}

/** Asks all cases of one door; good tokens in front, between and behind. */
async function runDoor(
  t: Test,
  surface: Surface,
  name: DoorName,
  plan: DoorPlan,
  asked: readonly HostileCase[],
) {
  const wrong: Wrong[] = []
  const door = await surface.open(plan.options, plan.requirement)
  const control = async (line: string | readonly string[], text: string) => {
    const { status, auth } = await door.ask(line)
    t.strictSame({ status, clientId: auth?.clientId }, { status: 200, clientId: CLIENT }, text)
  }
  const cases = fitting(asked, surface, name)
  try {
    for (let from = 0; from < cases.length; from += CONTROL_EVERY) {
      await control(`Bearer ${GOOD}`, `${name}: a good token before case ${from}`)
      for (const it of cases.slice(from, from + CONTROL_EVERY)) {
        const verdict = await verdictOf(it, door, surface.name)
        if (verdict === undefined) t.pass(nameOf(it))
        else t.strictSame(verdict.seen, verdict.expected, verdict.hostile)
        if (verdict !== undefined) wrong.push(verdict)
      }
    }
    for (const it of neighbors(surface, name)) await control(it.authorization, nameOf(it))
    await control(`Bearer ${GOOD}`, `${name}: a good token at last`)
  } finally {
    await door.close()
  }
  return { asked: cases.length, wrong }
}

for (const surface of [...surfacesByCache, ...thinSurfaces]) {
  t.test(surface.name, async (t) => {
    let asked = 0
    const wrong: Wrong[] = []
    const cases = chosen(surface)
    for (const [name, plan] of Object.entries(plans) as [DoorName, DoorPlan][]) {
      const run = await runDoor(t, surface, name, plan, cases)
      asked += run.asked
      wrong.push(...run.wrong)
    }
    const left = hostile.filter((it) => !carries(surface, it)).length
    t.equal(asked, cases.length, 'every chosen case was asked')
    if (isComplete) t.equal(asked + left, hostile.length, 'every case was asked, or cannot be')
    t.comment(`${wrong.length} wrong decisions in ${asked} cases, ${left} that it cannot carry`)
    t.equal(wrong.length, 0)
  })
}

t.test('keys come from the pool alone', async (t) => {
  t.ok(fetched.length > 0)
  t.strictSame([...new Set(fetched)], [KEYS_URL])
  t.equal(site.connections(), 0, 'nobody visited the attacker')
  await fetch(`http://127.0.0.1:${site.port}/jwks.json`)
  t.equal(site.connections(), 1, 'and a visit would have been seen')
  await site.close()
})

t.test('the judge reports what is wrong', async (t) => {
  const [surface] = surfaces as [Surface]
  const door = await surface.open(plans.plain.options)
  const asks = (authorization: string): HostileCase => {
    const named = { clause: 'none', field: 'none', mutation: 'none', door: 'plain' } as const
    return { ...named, authorization, code: 'ERR_TOKEN_INVALID' }
  }
  const bad = asks('Bearer a-token-that-is-none')
  const answer = await door.ask(bad.authorization)
  t.equal(judge(bad, answer, surface.name), undefined)
  const other = judge({ ...bad, code: 'ERR_TOKEN_SIGNATURE' }, answer, surface.name)
  t.match(other, { seen: { code: 'ERR_TOKEN_INVALID' }, expected: { code: 'ERR_TOKEN_SIGNATURE' } })
  const good = asks(`Bearer ${GOOD}`)
  t.match(judge(good, await door.ask(good.authorization), surface.name), { seen: { status: 200 } })
  const { 'www-authenticate': _challenge, ...unchallenged } = answer.headers
  const { 'cache-control': _cache, ...cacheable } = answer.headers
  const faults: [string, Partial<Answer>][] = [
    ['a reached handler', { auth: null }],
    ['another status', { status: 403 }],
    ['no challenge', { headers: unchallenged }],
    ['no no-store', { headers: cacheable }],
    ['a body that quotes', { body: { ...(answer.body as object), got: 'a-token-that-is-none' } }],
    ['a retry-after', { headers: { ...answer.headers, 'retry-after': '1' } }],
  ]
  for (const [fault, change] of faults) {
    t.ok(judge(bad, { ...answer, ...change }, surface.name), fault)
  }
  t.match(judge(bad, { ...answer, ...faults[4]?.[1] }, surface.name), {
    seen: { leaks: ['a-token-that-is-none'] },
  })
  await door.close()
})
