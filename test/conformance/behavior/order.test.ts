/** The order of checks is part of the contract: every surface answers with the same code. */
import t from 'tap'
import { sample } from '../../support/sample.ts'
import { called, type Fault, faults, SIGNATURE, withFaults } from './faults.ts'
import { type Surface, surfaces, surfacesFor, thinSurfaces } from './surfaces.ts'

async function decide(surface: Surface, ...present: readonly Fault[]): Promise<string> {
  called.length = 0
  const { options, requirement, authorization } = withFaults(...present)
  const door = await surface.open(options, requirement)
  try {
    const { status, code } = await door.ask(authorization)
    return code ?? String(status)
  } finally {
    await door.close()
  }
}

/** Where one line is handed over, two lines are another fault. */
const isOf = (surface: Surface, { name }: Fault) =>
  surface.oneLine !== true || name !== 'two credentials'

interface Pair {
  readonly index: number
  readonly earlier: Fault
  readonly later: Fault
}

/** Two faults that one request can have at once. */
function pairsFor(surface: Surface): Pair[] {
  return faults.flatMap((earlier, index) => {
    if (!isOf(surface, earlier)) return []
    return faults.slice(index + 1).flatMap((later): Pair[] => {
      // One pool has a list or a lookup; two credentials are two whatever they look like.
      const bothClients = [earlier, later].every((it) => it.options?.['clientId'] !== undefined)
      const bothSend = earlier.send !== undefined && later.send !== undefined
      return bothClients || bothSend ? [] : [{ index, earlier, later }]
    })
  })
}

/** On core every pair. Elsewhere every fault before another one, and behind another one. */
function chosen(surface: Surface, pairs: readonly Pair[]): readonly Pair[] {
  if (surface.name === 'core') return pairs
  return sample(`pairs of faults: ${surface.name}`, pairs, ({ earlier, later }) => [
    `earlier ${earlier.name}`,
    `later ${later.name}`,
  ])
}

const OWNERS = ['lookup', 'server check', 'route check']

for (const surface of [...surfaces, ...surfacesFor('order of checks', thinSurfaces)]) {
  t.test(surface.name, async (t) => {
    t.equal(await decide(surface), '200')
    t.strictSame(called, OWNERS, 'without a fault the owner is asked, in order')
    for (const [index, fault] of faults.entries()) {
      if (!isOf(surface, fault)) continue
      t.equal(await decide(surface, fault), fault.code, `a request ${fault.name}`)
      if (index <= SIGNATURE) t.strictSame(called, [], 'nothing of the owner is asked')
      else t.ok(called.length < OWNERS.length || fault.name === 'refused by the route check')
      t.strictSame(called, OWNERS.slice(0, called.length))
    }
    const pairs = pairsFor(surface)
    for (const { index, earlier, later } of chosen(surface, pairs)) {
      const code = await decide(surface, later, earlier)
      t.equal(code, earlier.code, `${earlier.name}, ${later.name}`)
      if (index <= SIGNATURE) t.strictSame(called, [])
    }
    const all = (faults.length * (faults.length - 1)) / 2 - 2
    t.equal(pairs.length, surface.oneLine === true ? all - (faults.length - 2) : all)
  })
}
