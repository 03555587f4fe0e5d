/** Every fault over every surface, after keys were had: they are enough for a day. */
import t, { type Test } from 'tap'
import { HOUR, MINUTE, SECOND } from '../../support/key-endpoint.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { expectServed, expectUnavailable, poolStatus } from './expected-responses.ts'
import { faultCells } from './fault-cells.ts'
import { type Fault, faults } from './faults.ts'
import { type Outage, openOutage } from './outage.ts'
import { expectQuiet, watchProcess } from './process-watch.ts'
import { CLIENT } from './surface-fixture.ts'

const DAY = 24 * HOUR
/** Ages of the keys at which a refresh is overdue by less than what stands for a frozen process. */
const AWAKE = [6.6, 12].map((minutes) => minutes * MINUTE)
const LATER = [HOUR, 12 * HOUR, DAY]

const watch = watchProcess()
t.teardown(() => watch.end())

/** What a test has in its hands once the keys are known. */
interface Life {
  readonly stage: Outage
  /** Signed with a key that is known. */
  readonly known: string
  /** Signed with a key the pool published after the fault began. */
  readonly unseen: string
}

async function openLife(t: Test, surface: Surface, fault: Fault): Promise<Life> {
  const stage = await openOutage(t, surface, fault)
  const expiresIn = (2 * DAY) / SECOND
  const known = stage.pool.accessToken({ expiresIn })
  expectServed(t, await stage.ask(known), 'keys are known')
  stage.pool.rotateKeys({ keepOld: true })
  await stage.begin()
  return { stage, known, unseen: stage.pool.accessToken({ expiresIn }) }
}

/** What the API and its status say while the keys age: one line per age, in seconds. */
async function ageing({ stage, known }: Life, ages: readonly number[]): Promise<unknown[]> {
  const lines: unknown[] = []
  for (const age of ages) {
    stage.clocks.advance(age - (poolStatus(stage).keysAge as number) * SECOND)
    const { status, auth } = await stage.ask(known)
    const { keysAge, ready, lastError, nextAttempt } = poolStatus(stage)
    const soon = (nextAttempt as number) <= 60
    lines.push({ keysAge, status, clientId: auth?.clientId, ready, lastError, soon })
  }
  return lines
}

async function rehearse(t: Test, surface: Surface, fault: Fault): Promise<void> {
  const life = await openLife(t, surface, fault)
  const { stage, known, unseen } = life
  // The refresh is due with this request, and is held back until the request was answered.
  stage.hold()
  stage.clocks.advance(5.5 * MINUTE)
  expectServed(t, await stage.ask(known), 'without waiting for the refresh')
  t.strictSame([stage.held, poolStatus(stage).lastError], [1, null], 'which is under way')
  stage.release()
  expectUnavailable(t, surface, stage, await stage.ask(unseen), 'it may be known after the outage')
  t.match(poolStatus(stage), { ready: true, keysAge: 330, lastError: fault.code })
  const ages = [...AWAKE, ...LATER]
  const line = { status: 200, clientId: CLIENT, ready: true, lastError: fault.code, soon: true }
  const wanted = ages.map((age) => ({ ...line, keysAge: age / SECOND }))
  t.strictSame(await ageing(life, ages), wanted, 'served for a day')
  expectUnavailable(t, surface, stage, await stage.ask(unseen))
  stage.clocks.advance(1)
  const wait = expectUnavailable(t, surface, stage, await stage.ask(known), 'a day and 1 ms')
  t.match(poolStatus(stage), { ready: true, lastError: fault.code }, 'ready once, ready for good')
  await stage.heal()
  stage.clocks.advance(wait * SECOND)
  for (const token of [known, unseen]) expectServed(t, await stage.ask(token), 'healed')
  t.match(poolStatus(stage), { ready: true, lastError: null, keysAge: 0 })
}

const cells = faultCells('outages in mid-life')

for (const fault of faults) {
  t.test(`after the start, ${fault.name}: 200 for a day, then 503, then 200 again`, async (t) => {
    // A port that refuses connections is free for any other process that requests one.
    const surfaces = cells.filter((cell) => cell.fault === fault).map(({ surface }) => surface)
    t.jobs = fault.name === 'connections refused' ? 1 : surfaces.length
    for (const surface of surfaces) {
      t.test(surface.name, (t) => rehearse(t, surface, fault))
    }
  })
}

t.test('nothing was followed, and nothing went unhandled', async (t) => expectQuiet(t, watch))
