/** How late the event loop of this process is, since the last reading. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { clock, STALL_MS } from './scale.mjs'

const RESOLUTION_MS = 10
const NANOSECONDS = 1e6

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
histogram.enable()

/** The histogram holds the time from one tick to the next, the resolution included. */
const lateness = (nanoseconds) => Math.max(0, Math.round(nanoseconds / NANOSECONDS - RESOLUTION_MS))

/** @returns The 99th percentile and the maximum, in milliseconds; both begin anew. */
export function readLoopDelay() {
  const delay = { p99: lateness(histogram.percentile(99)), max: lateness(histogram.max) }
  histogram.reset()
  return delay
}

const INTERVAL_MS = 20
const stalls = []
let dueAt = clock() + INTERVAL_MS

setInterval(() => {
  const now = clock()
  if (now - dueAt > STALL_MS) stalls.push({ from: dueAt, until: now })
  dueAt = now + INTERVAL_MS
}, INTERVAL_MS).unref()

/** @returns When the event loop stood still, since the process began. */
export const readStalls = () => stalls
