/** The report: tables of at most 80 columns, exceeded limits, and examples of wrong answers. */
import { table } from '../../bench/table.mjs'

/** Wrong answers shown one by one, of each act. */
const SHOWN = 3

const number = (value) => Math.round(value).toLocaleString('en')
/** Four characters at most. */
const short = (ms) => (ms < 1000 ? String(ms) : `${Number((ms / 1000).toPrecision(2))}k`)
const delay = ({ p99, max }) => `${short(p99)}/${short(max)}`

function summary(rows, faultFree) {
  const isCompared = (row) => row === faultFree || row.limits.requestRatio !== undefined
  const isOutage = ({ limits }) => limits.upstreamPerSecond !== undefined
  const head = ['fault', 'wait ms', 'more', '/ life', 'ratio', 'per s', 'wrong', 'past', 'lag ms']
  const lines = rows.map((row) => [
    row.isBusy ? `${row.name}*` : row.name,
    number(row.worstWaitMs),
    number(row.worstWaitMs - faultFree.worstWaitMs),
    ...(isCompared(row)
      ? [
          row.requestsPerLife?.toFixed(2) ?? '-',
          ((row.requestsPerLife ?? Number.NaN) / faultFree.requestsPerLife).toFixed(2),
        ]
      : ['-', '-']),
    isOutage(row) ? number(row.upstreamPerSecond) : '-',
    number(row.wrong.length),
    number(row.pastExpiry.length),
    number(row.lagMs),
  ])
  return table([head, ...lines])
}

function lags(rows) {
  const proxies = rows[0].delays.proxies.map((_, index) => `proxy ${index + 1}`)
  const head = ['p99/max ms', 'harness', 'cognito', ...proxies]
  const lines = rows.map(({ name, delays: { harness, cognito, proxies } }) => [
    name,
    ...[harness, cognito, ...proxies].map(delay),
  ])
  return table([head, ...lines])
}

function describe(reason, answer) {
  const { act, clientId, scope, process: index, sentAt, answeredAt, status } = answer
  const [since, wait] = [sentAt - act.faultAt, answeredAt - sentAt].map(number)
  return `  ${reason}: ${clientId}, ${scope}, ${status} of proxy ${index + 1} in ${wait} ms, ${since} ms after the fault`
}

/** @returns The text of the report. */
export function formatReport(rows, faultFree, { breaches, unjudgedActs }) {
  const exceeded = new Set(breaches.map(({ act }) => act))
  const examples = rows.flatMap(({ name, wrong, slowest }) => [
    ...wrong.slice(0, SHOWN).map(({ reason, answer }) => describe(reason, answer)),
    ...(exceeded.has(name) ? [describe('slowest', slowest)] : []),
  ])
  return [
    summary(rows, faultFree),
    ...(rows.some(({ isBusy }) => isBusy) ? ['* the machine was too busy: run again'] : []),
    '',
    lags(rows),
    '',
    ...examples,
    ...unjudgedActs.map((name) => `NOT JUDGED ${name}: the machine is too busy; run it again`),
    ...breaches.map(({ text }) => `EXCEEDED ${text}`),
    `${rows.reduce((sum, { requests }) => sum + requests, 0)} requests, ${breaches.length} limits exceeded`,
  ].join('\n')
}
