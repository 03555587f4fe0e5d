/**
 * Two Regions under load: the primary is killed, hangs, answers 500 and is inactive, each in a local pool of its own, and
 * one pool has no fault: `npm run soak -- regions [--seconds 60]`. Sets exit code 1 if a limit is exceeded.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { table } from '../../bench/table.mjs'
import { startUserPool } from '../../dist/testing/index.js'
import { countTokens, judgeRow, summarizeRequests } from './judge.mjs'
import { startSources } from './sources.mjs'

const FAULTS = [null, 'refuse', '500', 'inactive', 'hang']
const CLIENTS = ['billing', 'shipping', 'reporting']
const SCOPES = ['orders/read', 'orders/write']
const SECRET = 'local-secret'
/** Milliseconds after the start. Tokens last 8 s and are renewed after 6 s. */
const FAULT_AT = 6000
const HEALED_AT = 13_000
const CALL_INTERVAL = 200
/** The first calls are spread over the time between two renewals. */
const SPREAD = 6000
/** A failover at the end of the fault, the latest probe, and the renewal after it. */
const TIME_TO_RETURN = 57_000

/** Tokens are served until half a second before their expiry, which has whole seconds. */
const END_OF_USE = 1500

const clock = () => performance.now()
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))

/** Calls one source for one scope set until the end. Counts errors of a caller with a valid token. */
async function callAgainAndAgain(get, { startAt, endAt, onError }) {
  let validUntil = 0
  await sleep(startAt - clock())
  const calls = []
  while (clock() < endAt) {
    const call = get().then(
      (until) => {
        validUntil = Math.max(validUntil, until)
      },
      (error) => onError(error, Date.now() < validUntil - END_OF_USE),
    )
    calls.push(call)
    await sleep(CALL_INTERVAL)
  }
  await Promise.all(calls)
}

async function runFault(fault, { startedAt, endAt }) {
  const pool = await startUserPool({
    replica: true,
    quota: false,
    clients: CLIENTS.map((clientId) => ({ clientId, clientSecrets: [SECRET], scopes: SCOPES })),
  })
  const sources = await startSources(pool, { clientIds: CLIENTS, secret: SECRET, clock })
  const counts = { errors: 0, errorsWithoutToken: 0 }
  const samples = new Set()
  const onError = (error, hasToken) => {
    counts[hasToken ? 'errors' : 'errorsWithoutToken'] += 1
    if (hasToken) samples.add(String(error))
  }
  const sets = sources.flatMap(({ calls }) => calls(SCOPES))
  const load = sets.map((get, index) =>
    callAgainAndAgain(get, {
      startAt: startedAt + (SPREAD * index) / sets.length,
      endAt,
      onError,
    }),
  )
  await sleep(startedAt + FAULT_AT - clock())
  const faultAt = clock()
  await pool.setTokenFault(fault)
  await sleep(startedAt + HEALED_AT - clock())
  const healedAt = clock()
  await pool.setTokenFault(null)
  await Promise.all(load)
  for (const source of sources) await source.close()
  await pool.close()
  const summaries = sources.map(({ requests }) =>
    summarizeRequests(requests, { faultAt, healedAt }),
  )
  return { fault, ...counts, samples: [...samples], sources: summaries }
}

function formatRow(row, control) {
  const moves = row.sources.map(({ moveMs }) => moveMs ?? 0)
  const back = row.sources.filter(({ isBack }) => isBack).length
  return [
    row.fault ?? 'none',
    String(row.errors),
    String(row.errorsWithoutToken),
    String(Math.round(Math.max(...moves))),
    `${back}/${row.sources.length}`,
    String(countTokens(row)),
    (countTokens(row) / countTokens(control)).toFixed(3),
  ]
}

export async function soakRegions(seconds) {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const startedAt = clock() + 1000
  const endAt = startedAt + seconds * 1000
  const rows = await Promise.all(FAULTS.map((fault) => runFault(fault, { startedAt, endAt })))
  delay.disable()
  const lagMs = Math.round(delay.max / 1e6)
  const [control] = rows
  const head = ['fault', 'errors', 'no token', 'moved ms', 'back', 'tokens', 'ratio']
  process.stdout.write(`Node ${process.version}, ${seconds} s, lag ${lagMs} ms\n\n`)
  process.stdout.write(`${table([head, ...rows.map((row) => formatRow(row, control))])}\n`)
  const limits = { lagMs, hasTimeToReturn: seconds * 1000 >= TIME_TO_RETURN }
  const breaches = rows.flatMap((row) => [...judgeRow(row, control, limits), ...row.samples])
  for (const line of breaches) process.stdout.write(`${line}\n`)
  if (breaches.length > 0) process.exitCode = 1
}
