/**
 * The gate's check of speed: `npm run bench -- gate [--slower]`. It compares a cache hit and a cold verification
 * with the least code that does the same, in pairs of batches next to each other, so that other work on the
 * machine meets both. Exits with 1 if a median is over its limit.
 *
 * `--slower` adds 15 % of the measured work to each case: every median must then be over its limit.
 */
import { createPublicKey, verify } from 'node:crypto'
import { compileRequirement } from '../.bench/core/requirement.js'
import { createResourceServer } from '../.bench/index.js'
import { quantile, WrongDecisionError } from './measure.mjs'
import { table } from './table.mjs'
import { pool } from './tokens.mjs'

/** Medians of an idle and of a busy machine, and half of the 15 % that must be noticed. */
const CASES = [
  { name: 'hit', limit: 0.85, calls: 20_000, hasTurns: false, pairs: 300, setUp: setUpHits },
  { name: 'cold', limit: 1.28, calls: 100, hasTurns: true, pairs: 400, setUp: setUpCold },
]
/** Pairs that compile the code. */
const WARM_UP = 20
const TOKENS = 64
/** How often each of 20 calls runs once more: 15 % of them with `--slower`, else none. */
const AGAIN = new Uint8Array(20)
const NEVER_AGAIN = new Uint8Array(20)
if (process.argv.includes('--slower')) for (const index of [0, 7, 14]) AGAIN[index] = 1

const tokens = Array.from({ length: TOKENS }, () => pool.accessToken())
/** Strings that share no memory with those in a cache: comparing them reads every character. */
const lines = tokens.map((token) => Buffer.from(`Bearer ${token}`, 'latin1').toString('latin1'))
const { kid } = JSON.parse(Buffer.from(tokens[0].split('.')[0], 'base64url'))
const jwk = pool.jwks().keys.find((it) => it.kid === kid)
const key = createPublicKey({ key: jwk, format: 'jwk' })

function createGuard(options) {
  const server = createResourceServer({ ...pool.options(), ...options })
  return server.createGuard(compileRequirement({ scopes: 'orders/read' }, 'requirement'))
}

/** The least that verifies: no claim but `exp`, no rule about the form. */
function verifyOnce(line) {
  const token = line.slice('Bearer '.length)
  const end = token.lastIndexOf('.')
  const payload = token.slice(token.indexOf('.') + 1, end)
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const input = Buffer.from(token.slice(0, end))
  const isGood = verify('sha256', input, key, Buffer.from(token.slice(end + 1), 'base64url'))
  return isGood && claims.exp > Date.now() / 1000 ? claims : undefined
}

/** The least that finds a token again: a part of the signature as key, and the whole value compared. */
function setUpHits() {
  const cache = new Map(
    lines.map((line) => [line.slice(-12, -4), { line: `${line}`, ...verifyOnce(line) }]),
  )
  const find = (line) => {
    const entry = cache.get(line.slice(-12, -4))
    return entry?.line === line && entry.exp > Date.now() / 1000 ? entry : undefined
  }
  return { ours: createGuard({}), reference: find }
}

/** One entry: every token is verified, decoded and put into the cache. */
function setUpCold() {
  return { ours: createGuard({ tokenCache: { maxEntries: 1 } }), reference: verifyOnce }
}

function cpuMicros() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Each in a turn of the event loop of its own, or a verification would go to the thread pool. */
function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve))
}

async function batch(check, { calls, hasTurns }, again) {
  let accepted = 0
  const before = cpuMicros()
  for (let index = 0; index < calls; index += 1) {
    for (let run = again[index % 20]; run >= 0; run -= 1) {
      if (hasTurns) await nextTurn()
      const decision = check(lines[(index + run) % TOKENS])
      if ((decision instanceof Promise ? await decision : decision) && run === 0) accepted += 1
    }
  }
  const spent = cpuMicros() - before
  if (accepted < calls)
    throw new WrongDecisionError(`${calls - accepted} of ${calls} were rejected`)
  return spent
}

async function measure({ name, limit, pairs, setUp, ...size }) {
  const { ours, reference } = setUp()
  for (const line of lines) await ours(line)
  const ratios = []
  for (let pair = -WARM_UP; pair < pairs; pair += 1) {
    const runs = [
      async () => batch(ours, size, AGAIN),
      async () => batch(reference, size, NEVER_AGAIN),
    ]
    const isReversed = pair % 2 === 0
    if (isReversed) runs.reverse()
    const first = await runs[0]()
    const second = await runs[1]()
    if (pair >= 0) ratios.push(isReversed ? second / first : first / second)
  }
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share))
  return { name, limit, q1, median, q3, isOver: median > limit }
}

const results = []
for (const testCase of CASES) results.push(await measure(testCase))
const rows = results.map(({ name, limit, q1, median, q3, isOver }) => [
  name,
  median.toFixed(3),
  `${q1.toFixed(3)}–${q3.toFixed(3)}`,
  String(limit),
  isOver ? 'OVER' : 'ok',
])
process.stdout.write(`${table([['÷ the least code', 'median', 'q1–q3', 'limit', ''], ...rows])}\n`)
if (results.some(({ isOver }) => isOver)) process.exitCode = 1
