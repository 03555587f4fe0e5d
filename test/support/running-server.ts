/** A server that a test changes while it runs: its key set, its clocks, its options. */
import { compileRequirement } from '../../src/core/requirement.ts'
import type { CoreGuard, CoreServer } from '../../src/core/resource-server.ts'
import type { AccessRequirement, ResourceServer } from '../../src/index.ts'
import { type Changes, jwk, machineToken, NOW, outcome, serve } from './forge.ts'
import { Clocks } from './key-endpoint.ts'

export const token = machineToken()
export const authorization = `Bearer ${token}`

/** A server whose key set, clocks and options a test changes while it runs. */
export function running(t: { teardown(handler: () => unknown): unknown }, changes: Changes = {}) {
  const clocks = new Clocks()
  clocks.wall = NOW * 1000
  const state = { keys: [jwk()], fails: false, fetches: 0 }
  const fetch = async (): Promise<Response> => {
    state.fetches += 1
    if (state.fails) throw new Error('down')
    return Response.json({ keys: state.keys })
  }
  const server = serve({
    jwks: undefined,
    fetch,
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    ...changes,
  })
  t.teardown(() => server.close())
  return { clocks, state, server }
}

/** The guard that adapters use: it decides synchronously on a cached token. */
export function coreGuard(server: ResourceServer, requirement: AccessRequirement = {}): CoreGuard {
  return (server as CoreServer).createGuard(compileRequirement(requirement, 'requirement'))
}

/**
 * Counts the promises that only the thread pool can settle. Microtasks run before `nextTick` continues. The
 * results of the thread pool arrive in a later phase of the event loop.
 */
export async function countInThreadPool(promises: readonly unknown[]): Promise<number> {
  let settled = 0
  const count = (): void => {
    settled += 1
  }
  for (const promise of promises) Promise.resolve(promise).then(count, count)
  await new Promise<void>((resolve) => process.nextTick(resolve))
  return promises.length - settled
}

export const ask = (guard: CoreGuard, value: string = authorization) => outcome(guard, value)
