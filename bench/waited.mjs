/** How long this process was ready to run while its core did something else. */
import { readFileSync } from 'node:fs'

/** Seconds so far of the main thread; not a number where the system does not tell. */
export function secondsWaited() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e9
  } catch {
    return Number.NaN
  }
}
