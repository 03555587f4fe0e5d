/** What one verification costs: of a token seen before, of a new one, and of RSA alone. */
import { createPublicKey, verify } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { quantile, WrongDecisionError } from './measure.mjs'

setFlagsFromString('--expose-gc')
export const gc = runInNewContext('gc')

/** Microseconds of CPU a batch should take, so that what the clock rounds off does not show. */
const BATCH = 5000
/** More calls than this in a batch would only take longer. */
const MAX_CALLS = 20_000
const ORDER = 1 << 14
/** Calls that tell how many make a batch. */
const PROBE = 256

/** The credential as bytes: every use makes a string of its own from them, as a request does. */
export function asLine(token) {
  return Buffer.from(`Bearer ${token}`, 'latin1')
}

/** CPU microseconds of this process so far, all threads. */
export function cpuMicros() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** A fixed order would let the processor guess the next token. */
function randomOrder(count) {
  return Uint32Array.from({ length: ORDER }, () => Math.floor(Math.random() * count))
}

function making(lines, order, calls) {
  let characters = 0
  const before = cpuMicros()
  for (let index = 0; index < calls; index += 1) {
    characters += lines[order[index & (ORDER - 1)]].toString('latin1').length
  }
  const spent = cpuMicros() - before
  if (characters < calls) throw new WrongDecisionError('strings are missing')
  return spent
}

async function verifying(check, lines, order, calls) {
  const before = cpuMicros()
  for (let index = 0; index < calls; index += 1) {
    const decision = check(lines[order[index & (ORDER - 1)]].toString('latin1'))
    if (decision instanceof Promise) await decision
  }
  return cpuMicros() - before
}

/**
 * What checking a token costs that was checked before, without the making of its string. Strings are
 * made with and without the check in turns: what the machine does otherwise meets both.
 *
 * @param check Takes the Authorization line; throws or rejects where it refuses.
 * @param unit CPU microseconds of what the costs are held against.
 * @returns CPU nanoseconds per call and their ratios to the unit, one of each per round.
 */
export async function measureHits(check, lines, { rounds, unit, warmUp = 5 }) {
  for (const line of lines) await check(line.toString('latin1'))
  const order = randomOrder(lines.length)
  const probed = await verifying(check, lines, order, PROBE)
  const calls = Math.min(MAX_CALLS, Math.max(PROBE, Math.ceil((BATCH * PROBE) / (probed + 1))))
  const nanos = []
  const ratios = []
  for (let round = -warmUp; round < rounds; round += 1) {
    const unitBefore = unit()
    const before = making(lines, order, calls)
    const spent = await verifying(check, lines, order, calls)
    const micros = (spent - (before + making(lines, order, calls)) / 2) / calls
    const around = (unitBefore + unit()) / 2
    if (round < 0) continue
    nanos.push(micros * 1000)
    ratios.push(micros / around)
  }
  return { nanos, ratios }
}

/**
 * One RSA check with everything prepared: what no verification can do without.
 *
 * @returns CPU microseconds per check of `calls` of them.
 */
export function rsaBatch(tokens, jwks) {
  const kid = JSON.parse(Buffer.from(tokens[0].split('.')[0], 'base64url')).kid
  const key = createPublicKey({ key: jwks.keys.find((it) => it.kid === kid), format: 'jwk' })
  const parts = tokens.map((token) => {
    const end = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(end + 1), 'base64url')
    return { input: Buffer.from(token.slice(0, end)), signature }
  })
  return (calls) => {
    let good = 0
    const before = cpuMicros()
    for (let index = 0; index < calls; index += 1) {
      const { input, signature } = parts[index % parts.length]
      if (verify('sha256', input, key, signature)) good += 1
    }
    const spent = cpuMicros() - before
    if (good < calls) throw new WrongDecisionError('RSA: a good signature was refused')
    return spent / calls
  }
}

/** Each call in a turn of the event loop of its own, as requests are that do not arrive together. */
export function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve))
}

async function inTurns(check, given) {
  let admitted = 0
  const before = cpuMicros()
  for (const line of given) {
    await nextTurn()
    try {
      const decision = check(line)
      if (decision instanceof Promise) await decision
      admitted += 1
    } catch {
      // Told by what was not let in.
    }
  }
  return { spent: cpuMicros() - before, admitted }
}

/**
 * CPU microseconds per call over lines that are each used once, without the turns of the event loop
 * they are called in. Their strings are made before.
 */
export async function onceBatch(check, lines, { refused = false } = {}) {
  const given = lines.map((line) => line.toString('latin1'))
  // Out of the young generation: collecting what the check makes counts, moving the lines does not.
  gc({ type: 'minor' })
  gc({ type: 'minor' })
  const { spent, admitted } = await inTurns(check, given)
  const turns = await inTurns(() => undefined, given)
  if (admitted !== (refused ? 0 : given.length)) {
    throw new WrongDecisionError(`${admitted} of ${given.length} tokens were let in`)
  }
  return (spent - turns.spent) / given.length
}

/** Bytes on the heap and off it that can be reached: measured after full collections. */
export async function bytesInUse() {
  for (let turn = 0; turn < 4; turn += 1) {
    gc()
    await nextTurn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export function median(values) {
  return quantile(values, 0.5)
}
