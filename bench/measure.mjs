/** CPU time of calls, in rounds that every case takes part in, and what the rounds come to. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

/** A call decided otherwise than expected: nothing that was measured counts. */
export class WrongDecisionError extends Error {}

/**
 * A fresh string object with the same characters, as a request brings one. A string that is handed
 * in again carries its hash and is already flat: that would hide part of the cost.
 */
function fresh(line) {
  if (line === undefined) return undefined
  return Array.isArray(line) ? line.map(fresh) : line.toString('latin1')
}

function asLine(token) {
  if (token === undefined) return undefined
  return Array.isArray(token) ? token.map(asLine) : Buffer.from(`Bearer ${token}`, 'latin1')
}

/** Makes the lines of a case once: signing them costs more than refusing them. */
export function prepare(testCase, { distinct, calls }) {
  const lines = Array.from({ length: distinct }, () => asLine(testCase.token()))
  return { ...testCase, calls, lines }
}

/** CPU microseconds per call, all threads: what a garbage collector's helpers do counts. */
async function batch(guard, { name, lines, calls, code }) {
  const given = Array.from({ length: calls }, (_, index) => fresh(lines[index % lines.length]))
  // What was made for the measurement leaves the young generation, so that collecting what the
  // guard makes is counted and moving the lines is not. A full collection would also drop code.
  gc({ type: 'minor' })
  gc({ type: 'minor' })
  let wrong = 0
  const before = process.cpuUsage()
  for (const line of given) {
    try {
      await guard(line)
      if (code !== undefined) wrong += 1
    } catch (error) {
      if (error.code !== code) wrong += 1
    }
  }
  const { user, system } = process.cpuUsage(before)
  if (wrong > 0) throw new WrongDecisionError(`${name}: ${wrong} of ${calls} decided otherwise`)
  return (user + system) / calls
}

/** The same order in each round would give one case the caches another one warmed. */
function shuffled(list) {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0])
}

/**
 * Runs all cases in each round. A round's ratio is held against the unit measured right before and
 * right behind the case: a machine that is shared changes its speed within a round.
 *
 * @returns per case its microseconds and its ratios, one of each per round.
 */
export async function measureRounds(guardOf, unit, cases, { rounds, warmUp }) {
  const results = new Map(cases.map((it) => [it, { micros: [], ratios: [] }]))
  const units = []
  for (let round = -warmUp; round < rounds; round += 1) {
    let before = await batch(guardOf(unit), unit)
    for (const it of shuffled(cases)) {
      const micros = await batch(guardOf(it), it)
      const after = await batch(guardOf(unit), unit)
      if (round >= 0) {
        results.get(it).micros.push(micros)
        results.get(it).ratios.push((2 * micros) / (before + after))
        units.push(after)
      }
      before = after
    }
  }
  return { units, results }
}

/** Quartile by linear interpolation: `quantile(values, 0.5)` is the median. */
export function quantile(values, share) {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}
