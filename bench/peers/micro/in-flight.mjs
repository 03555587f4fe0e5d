/** What the event loop spends on a verification while many are under way. */
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { asLine } from '../../micro.mjs'

const LANES = 64
const WARM_UP = 1000
const MEASURED = 3000

/** How many new tokens this takes. */
export const IN_FLIGHT_FRESH = WARM_UP + MEASURED

/** CPU microseconds of the main thread so far. */
function mainThreadMicros() {
  if (process.threadCpuUsage !== undefined) {
    const { user, system } = process.threadCpuUsage()
    return user + system
  }
  try {
    // Of the process's first thread, where Node runs JavaScript; in nanoseconds.
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1000
  } catch {
    return Number.NaN
  }
}

/** Each lane begins in a turn of the event loop of its own, as requests do that arrive together. */
function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps 64 under way until all lines were taken; CPU microseconds of the main thread per line. */
async function run(check, lines) {
  let taken = 0
  const lane = async () => {
    while (taken < lines.length) {
      const line = lines[taken]
      taken += 1
      await nextTurn()
      await check(line.toString('latin1'))
    }
  }
  const before = mainThreadMicros()
  await Promise.all(Array.from({ length: LANES }, lane))
  // The system counts a running thread at its next tick: after a pause all is told.
  await new Promise((resolve) => setTimeout(resolve, 20))
  return (mainThreadMicros() - before) / lines.length
}

/** The signature alone, on the thread pool: what is left of a check for the event loop at the least. */
function handingOver({ keys }) {
  const imported = new Map(
    keys.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]),
  )
  const verifyAside = promisify(verify)
  return (line) => {
    const [header, payload, signature] = line.slice('Bearer '.length).split('.')
    const { kid } = JSON.parse(Buffer.from(header, 'base64url'))
    const input = Buffer.from(`${header}.${payload}`, 'latin1')
    return verifyAside('sha256', input, imported.get(kid), Buffer.from(signature, 'base64url'))
  }
}

/** Net of the lanes themselves, which are measured with a check that does nothing. */
export async function inFlight(check, { fresh, pool }) {
  const lines = fresh.slice(0, IN_FLIGHT_FRESH).map(asLine)
  const handed = handingOver(pool.jwks)
  const idle = async () => undefined
  const spent = {}
  for (const [name, one] of Object.entries({ check, handed, idle })) {
    await run(one, lines.slice(0, WARM_UP))
    spent[name] = await run(one, lines.slice(WARM_UP))
  }
  return {
    'event loop, 64 in flight': spent.check - spent.idle,
    'event loop, signature handed over': spent.handed - spent.idle,
  }
}
