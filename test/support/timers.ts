/** Mocked timers with connections of `fetch`. */
import { mock } from 'node:test'

/**
 * Mocks `setTimeout`, for `mock.timers.tick`. `clearTimeout` still clears timers that were started before.
 *
 * The mocked one of Node.js ignores them. A connection of `fetch` would then keep a timer that it has cleared. Once its
 * parser is collected, that timer throws (`onParserTimeout` of undici) and ends the process.
 */
export function mockTimeouts(): void {
  const { clearTimeout: clearReal } = globalThis
  const probe = setTimeout(() => {}, 0)
  clearTimeout(probe)
  mock.timers.enable({ apis: ['setTimeout'] })
  const { clearTimeout: clearMocked } = globalThis
  const isReal = (timer: unknown): boolean => timer instanceof probe.constructor
  globalThis.clearTimeout = (timer) => (isReal(timer) ? clearReal(timer) : clearMocked(timer))
}
