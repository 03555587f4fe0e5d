/**
 * What refusing a token costs, in cold verifications: `npm run bench -- refusals [--quick]`. Exits
 * with 1 where a case is over its limit or decided otherwise than expected.
 */
import { cpus } from 'node:os'
import { compileRequirement } from '../.bench/core/requirement.js'
import { createResourceServer } from '../.bench/index.js'
import { cold, refusals } from './cases.mjs'
import { measureRounds, prepare, quantile } from './measure.mjs'
import { table } from './table.mjs'
import { pool, withClaims } from './tokens.mjs'

const MEGABYTE = '1 MB'
/** Microseconds a 1 MB token may take. */
const MEGABYTE_LIMIT = 1000

const quick = process.argv.includes('--quick')
const only = process.argv.find((it) => it.startsWith('--only='))?.slice('--only='.length)
const { rounds, scale } = quick ? { rounds: 11, scale: 0.4 } : { rounds: 31, scale: 1 }

/** So that a batch takes some milliseconds of CPU, and lines of a megabyte stay few. */
function sized(testCase) {
  const large = testCase.name === MEGABYTE
  const calls = large ? 64 : testCase.limit === 0.2 ? 200 : 100
  return prepare(testCase, { distinct: 32, calls: large ? calls : Math.ceil(calls * scale) })
}

/** Calls of decoders that see more than a kilobyte while a guard refuses a 1 MB token. */
async function decodersCalled(guard) {
  const { from } = Buffer
  const { parse } = JSON
  let called = 0
  const counting = (decode) =>
    function counted(value, ...rest) {
      if (value?.length > 1024) called += 1
      return Reflect.apply(decode, this, [value, ...rest])
    }
  Buffer.from = counting(from)
  JSON.parse = counting(parse)
  try {
    await guard(`Bearer ${withClaims({})}${'A'.repeat(1_000_000)}`)
  } catch {
    // Which refusal it is was looked at with every measured call.
  } finally {
    Buffer.from = from
    JSON.parse = parse
  }
  return called
}

function verdict(limit, over) {
  if (limit === undefined) return ['', '']
  return [String(limit), over ? 'OVER' : 'ok']
}

function row({ name, limit, micros, ratios }) {
  const ratio = quantile(ratios, 0.5)
  const slow = name === MEGABYTE && quantile(micros, 0.5) > MEGABYTE_LIMIT
  const over = limit !== undefined && (ratio > limit || slow)
  const numbers = [0.5, 0.25, 0.75].map((share) => quantile(micros, share).toFixed(1))
  const spread = [0.25, 0.75].map((share) => quantile(ratios, share).toFixed(3)).join('–')
  const cells = [name, ...numbers, ratio.toFixed(3), spread, ...verdict(limit, over)]
  return { cells, over }
}

async function main() {
  // The unit is a cold verification: a token that is kept would not be one.
  const server = createResourceServer({ ...pool.options(), tokenCache: false })
  // Adapters use this guard. It rejects synchronously where no key is needed.
  const anyScope = server.createGuard(compileRequirement({ scopes: 'orders/read' }, 'requirement'))
  const write = server.createGuard(
    compileRequirement({ scopes: ['orders/read', 'orders/write'] }, 'requirement'),
  )
  const chosen = refusals.filter(({ name }) => only === undefined || name.includes(only))
  const { units, results } = await measureRounds(
    ({ code }) => (code === 'ERR_SCOPE_INSUFFICIENT' ? write : anyScope),
    sized(cold),
    chosen.map(sized),
    { rounds, warmUp: quick ? 2 : 5 },
  )
  const rows = [...results].map(([{ name, limit }, measured]) => row({ name, limit, ...measured }))
  const unit = [0.5, 0.25, 0.75].map((share) => quantile(units, share).toFixed(1))
  const head = ['case', 'µs CPU', 'q1', 'q3', 'ratio', 'q1–q3', 'limit', '']
  const decoded = await decodersCalled(write)
  server.close()
  process.stdout.write(
    `Node ${process.version}, ${cpus()[0]?.model}, ${rounds} rounds\n\n${table([
      head,
      [cold.name, ...unit, '1', '', '', ''],
      ...rows.map(({ cells }) => cells),
    ])}\n\n1 MB token: ${decoded === 0 ? 'undecoded' : `DECODED, ${decoded} calls`}\n`,
  )
  if (decoded > 0 || rows.some(({ over }) => over)) process.exitCode = 1
}

await main()
