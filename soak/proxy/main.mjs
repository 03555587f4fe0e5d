/**
 * Four proxy processes over one Redis under steady load, while Redis and Cognito fail in every way:
 * `npm run soak -- proxy [--seconds 120]`. Sets exit code 1 where a limit is exceeded.
 */

import { Deployment } from './deployment.mjs'
import { judge, listUnjudgedActs } from './judge.mjs'
import { formatReport } from './report.mjs'
import { closeConnections } from './request.mjs'
import { createRow, isTooBusy } from './rows.mjs'
import {
  CALLERS,
  CLIENTS,
  clock,
  PROXIES,
  REQUESTS_PER_SECOND,
  SCOPE_SETS,
  sleep,
} from './scale.mjs'
import { planActs } from './story.mjs'

/** Requests that were sent before an act are answered before its fault begins. */
const LEAD_MS = 500

/** The act without a fault: what the others are compared with. */
const FAULT_FREE = 'no fault'

/** On a machine that is busy for a moment an act is run again. Attempts of one act, and repetitions in all. */
const MAX_ATTEMPTS = 3
const MAX_REPEATS = 8

async function runAct(deployment, act) {
  Object.assign(act, { beganAt: clock(), heartbeatMs: 0 })
  const dueAt = act.beganAt + act.ms
  deployment.load.act = act
  deployment.useClocks(act.clocks ?? 'same')
  await sleep(LEAD_MS)
  act.faultAt = clock()
  if (act.uncached !== undefined) deployment.load.startUncached()
  await act.run?.(deployment, dueAt - act.faultAt)
  act.healedAt = clock()
  await sleep(dueAt - clock())
  act.endedAt = clock()
  act.delays = await deployment.readLoopDelays()
}

/** @returns The acts as they were run: one that a busy machine spoiled is followed by its repetition. */
async function runActs(deployment, acts) {
  const finished = []
  let repeats = 0
  for (const planned of acts) {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const act = { ...planned, attempt }
      finished.push(act)
      await runAct(deployment, act)
      if (!isTooBusy(act) || repeats === MAX_REPEATS) break
      repeats += 1
    }
  }
  return finished
}

export async function soakProxy(seconds) {
  const deployment = new Deployment()
  try {
    await deployment.start()
    await deployment.warmUp()
    deployment.load.start()
    process.stdout.write(
      `Node ${process.version}, ${seconds} s, ${PROXIES} proxies over one Redis, ${CALLERS} callers, ${CLIENTS} clients with ${SCOPE_SETS.length} scope sets, ${REQUESTS_PER_SECOND} requests/s\n\n`,
    )
    const finished = await runActs(deployment, planActs(seconds))
    await deployment.load.stop()
    const [tokens, requests] = [await deployment.issued(), await deployment.upstreamRequests()]
    const stalls = await deployment.stalls()
    const record = { acts: finished, answers: deployment.load.answers, tokens, requests, stalls }
    const rows = finished.map((act) => createRow(act, record))
    const faultFree = rows.findLast(({ name }) => name === FAULT_FREE)
    const breaches = judge(rows, faultFree)
    process.stdout.write(
      `${formatReport(rows, faultFree, { breaches, unjudgedActs: listUnjudgedActs(rows) })}\n`,
    )
    if (breaches.length > 0) process.exitCode = 1
  } finally {
    closeConnections()
    await deployment.close()
  }
}
