/**
 * The gate's check of speed: `npm run bench -- gate [--slower]`. It compares a cache hit with the least code that
 * finds a token again, and a cold verification with aws-jwt-verify. Batches of both alternate, so that other work on
 * the machine meets both. The median of some processes counts. Exits with 1 if it is over its limit.
 *
 * `--slower` repeats 15 % of the measured calls. It exits with 1 unless every median is over its limit.
 */
import { execFileSync } from 'node:child_process'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { compileRequirement } from '../.bench/core/requirement.js'
import { createResourceServer } from '../.bench/index.js'
import { quantile, WrongDecisionError } from './measure.mjs'
import { cpuMicros, nextTurn } from './micro.mjs'
import { table } from './table.mjs'
import { pool } from './tokens.mjs'

/** Tokens of cold verifications. Hits take few of them: more do not fit into the first cache of a processor. */
const TOKENS = 64
/** Limits lie between what is measured on Node 22 and 15 % more. */
const CASES = [
  {
    name: 'hit',
    reference: 'a Map and a comparison',
    limit: 0.89,
    calls: 20_000,
    hasTurns: false,
    count: 8,
    pairs: 80,
    setUp: setUpHits,
  },
  {
    name: 'cold',
    reference: 'aws-jwt-verify',
    limit: 0.96,
    calls: 100,
    // Without turns, a verification would go to the thread pool.
    hasTurns: true,
    count: TOKENS,
    pairs: 120,
    setUp: setUpCold,
  },
]
/** Fresh processes, three seconds each. */
const PROCESSES = 3
const MAX_ATTEMPTS = 6
const PAUSE_MS = 10_000
const CHILD = '--child'
/** Pairs that compile the code. */
const WARM_UP = 20
/** How often each of 20 calls runs once more: 15 % of them with `--slower`, else none. */
const AGAIN = new Uint8Array(20)
const NEVER_AGAIN = new Uint8Array(20)
if (process.argv.includes('--slower')) for (const index of [0, 7, 14]) AGAIN[index] = 1

const tokens = Array.from({ length: TOKENS }, () => pool.accessToken())
/** Strings that share no memory with those in a cache: comparing them reads every character. */
const lines = tokens.map((token) => Buffer.from(`Bearer ${token}`, 'latin1').toString('latin1'))
const { userPoolId } = pool.options()
const verifier = CognitoJwtVerifier.create({ userPoolId, tokenUse: 'access', clientId: null })
verifier.cacheJwks(pool.jwks())

function createGuard(options) {
  const server = createResourceServer({ ...pool.options(), ...options })
  return server.createGuard(compileRequirement({ scopes: 'orders/read' }, 'requirement'))
}

function verifyWithPeer(line) {
  return verifier.verifySync(line.slice('Bearer '.length))
}

/** The least that finds a token again: a part of the signature as key, and the whole value compared. */
function setUpHits() {
  const cache = new Map(
    lines.map((line) => [line.slice(-12, -4), { line: `${line}`, ...verifyWithPeer(line) }]),
  )
  const find = (line) => {
    const entry = cache.get(line.slice(-12, -4))
    return entry?.line === line && entry.exp > Date.now() / 1000 ? entry : undefined
  }
  return { ours: createGuard({}), reference: find }
}

/** One entry: every token is verified, decoded and put into the cache. */
function setUpCold() {
  return { ours: createGuard({ tokenCache: { maxEntries: 1 } }), reference: verifyWithPeer }
}

async function batch(check, { calls, hasTurns, count }, again) {
  let accepted = 0
  const before = cpuMicros()
  for (let index = 0; index < calls; index += 1) {
    for (let run = again[index % 20]; run >= 0; run -= 1) {
      if (hasTurns) await nextTurn()
      const decision = check(lines[(index + run) % count])
      if ((decision instanceof Promise ? await decision : decision) && run === 0) accepted += 1
    }
  }
  const spent = cpuMicros() - before
  if (accepted < calls)
    throw new WrongDecisionError(`${calls - accepted} of ${calls} were rejected`)
  return spent
}

async function measure({ pairs, setUp, ...size }) {
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
  return quantile(ratios, 0.5)
}

/** In a process of its own: what V8 compiles differs from process to process. */
async function measureAll() {
  const medians = {}
  for (const testCase of CASES) medians[testCase.name] = await measure(testCase)
  return medians
}

function inFreshProcess() {
  const args = [import.meta.filename, CHILD, ...process.argv.slice(2)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

/** Other work on the machine may last: an attempt with an unexpected median is repeated. */
function main() {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    process.exitCode = compare() ? 0 : 1
    if (process.exitCode === 0) return
  }
}

/** @returns Whether every median is on the expected side of its limit: below it, with `--slower` above it. */
function compare() {
  const runs = Array.from({ length: PROCESSES }, inFreshProcess)
  const isSlower = process.argv.includes('--slower')
  let isExpected = true
  const rows = CASES.map(({ name, limit, reference }) => {
    const medians = runs.map((run) => run[name])
    const median = quantile(medians, 0.5)
    const all = medians.map((it) => it.toFixed(3)).join(' ')
    if (median > limit !== isSlower) isExpected = false
    return [name, median.toFixed(3), all, String(limit), median > limit ? 'OVER' : 'ok', reference]
  })
  const head = ['÷ reference', 'median', 'of processes', 'limit', '', 'reference']
  process.stdout.write(`Node ${process.version}\n\n${table([head, ...rows])}\n`)
  return isExpected
}

if (process.argv.includes(CHILD)) process.stdout.write(JSON.stringify(await measureAll()))
else main()
