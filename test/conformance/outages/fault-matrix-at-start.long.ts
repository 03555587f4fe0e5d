/** Every fault over every surface, in force before the first keys were had. */
import t, { type Test } from 'tap'
import { SECOND } from '../../support/key-endpoint.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { surfacesByCache, surfacesFor } from '../behavior/surfaces.ts'
import { expectServed, expectUnavailable, poolStatus } from './expected-responses.ts'
import { faultCells } from './fault-cells.ts'
import { type Fault, faults } from './faults.ts'
import { type Outage, openOutage } from './outage.ts'
import { expectQuiet, watchProcess } from './process-watch.ts'

const watch = watchProcess()
t.teardown(() => watch.end())

/** The endpoint is well again: one step later the same token is let in. */
async function expectRecovery(t: Test, stage: Outage, token: string, wait: number) {
  await stage.heal()
  stage.clocks.advance(wait * SECOND)
  expectServed(t, await stage.ask(token), 'healed')
  t.match(poolStatus(stage), { ready: true, lastError: null, keysAge: 0 })
}

async function rehearse(t: Test, surface: Surface, fault: Fault): Promise<void> {
  const stage = await openOutage(t, surface, fault, { atStart: true })
  const token = stage.pool.accessToken()
  const wait = expectUnavailable(t, surface, stage, await stage.ask(token))
  const { ready } = stage.door.server.status()
  const { keysAge, lastError, nextAttempt } = poolStatus(stage)
  t.strictSame([ready, keysAge, lastError], [false, null, fault.code])
  t.ok((nextAttempt as number) <= wait, 'who comes back when told finds it asking again')
  t.match(await stage.door.ask('Bearer garbage'), { status: 401, code: 'ERR_TOKEN_INVALID' })
  await expectRecovery(t, stage, token, wait)
}

const cells = faultCells('outages at start')

for (const fault of faults) {
  t.test(`at start, ${fault.name}: 503, and 200 one step after it heals`, async (t) => {
    // A port that refuses connections is free for any other process that requests one.
    const surfaces = cells.filter((cell) => cell.fault === fault).map(({ surface }) => surface)
    t.jobs = fault.name === 'connections refused' ? 1 : surfaces.length
    for (const surface of surfaces) {
      t.test(surface.name, (t) => rehearse(t, surface, fault))
    }
  })
}

const PATIENT = ['connections refused', '500', 'an empty set']

for (const fault of faults.filter(({ name }) => PATIENT.includes(name))) {
  t.test(`however often it failed, ${fault.name}: the wait is a minute at most`, async (t) => {
    for (const surface of surfacesFor(`patience ${fault.name}`, surfacesByCache)) {
      t.test(surface.name, async (t) => {
        const stage = await openOutage(t, surface, fault, { atStart: true })
        const token = stage.pool.accessToken()
        const waits: number[] = []
        for (let failure = 0; failure < 12; failure += 1) {
          const wait = expectUnavailable(t, surface, stage, await stage.ask(token))
          waits.push(wait)
          if (failure < 11) stage.clocks.advance(wait * SECOND)
        }
        t.equal(waits[0], 1)
        t.ok((waits.at(-1) as number) > 40, 'it backs off all the same')
        await expectRecovery(t, stage, token, waits.at(-1) as number)
      })
    }
  })
}

t.test('nothing was followed, and nothing went unhandled', async (t) => expectQuiet(t, watch))
