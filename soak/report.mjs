/** What a soak came to: a table of phases and kinds, and the wrong decisions. */
import { table } from '../bench/table.mjs'
import { columnOf, judge, withBusyTimes } from './judge.mjs'

const COLUMNS = [
  ...['known key', 'new key', 'removed key', 'bad signature'],
  ...['expired', 'garbage', 'random kid'],
]
/** Wrong decisions that are shown one by one. */
const SHOWN = 20

export class Report {
  #outages
  #rows = new Map()
  #wrong = { 'valid refused': 0, 'invalid accepted': 0, 'removed accepted': 0, other: 0 }
  #shown = []
  #answers = []

  /** @param outages The pool's record, growing. */
  constructor(outages) {
    this.#outages = outages
  }

  take(answer) {
    const { act, status } = answer
    if (!this.#rows.has(act)) this.#rows.set(act, {})
    const row = this.#rows.get(act)
    const column = columnOf(answer, this.#outages)
    this.#answers.push({ answer, column })
    row[column] ??= {}
    row[column][status ?? 'none'] = (row[column][status ?? 'none'] ?? 0) + 1
  }

  /** Only when all is over is it known when the machine was busy. */
  #judgeAll() {
    const outages = withBusyTimes(
      this.#outages,
      this.#answers.map(({ answer }) => answer),
    )
    for (const { answer, column } of this.#answers) {
      const wrong = judge(answer, outages)
      if (wrong === undefined) continue
      this.#wrong[wrong] += 1
      if (this.#shown.length < SHOWN) this.#shown.push(describe(answer, wrong, column))
    }
    const busy = outages.filter(({ isBusy }) => isBusy)
    return busy.reduce((sum, { from, until }) => sum + until - from, 0) / 1000
  }

  /** @returns Whether every decision was right. */
  print(fetches) {
    const busy = this.#judgeAll()
    const head = ['phase', ...COLUMNS]
    const rows = [...this.#rows].map(([{ name }, row]) => [
      name,
      ...COLUMNS.map((column) => counts(row[column])),
    ])
    const wrong = this.#wrong
    const lines = [
      table([head, ...rows]),
      '',
      ...this.#shown,
      ...(busy === 0 ? [] : [`busy: ${busy.toFixed(1)} s, judged as an outage`]),
      `${wrong.other} wrong otherwise: 5xx for what is plainly invalid or from a healthy pool, 401 for what could not be judged, 500s, broken connections`,
      `${wrong['valid refused']} valid refused while keys are known, ${wrong['invalid accepted']} invalid accepted, ${wrong['removed accepted']} tokens of a removed key accepted later than one refresh after its removal, ${this.#answers.length} requests, ${fetches} fetches`,
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    return Object.values(wrong).every((count) => count === 0)
  }
}

function counts(statuses = {}) {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')
}

function describe({ act, server, sentAt, answeredAt, status, code, key }, wrong, column) {
  const since = (at, event) => Number.isFinite(at) && `${Math.round(sentAt - at)} ms after ${event}`
  const facts = [
    `${server}, ${act.name}, ${column}`,
    [status, code].filter(Boolean).join(' '),
    `in ${Math.round(answeredAt - sentAt)} ms`,
    since(key?.publishedAt, 'its key was published'),
    since(key?.removedAt, 'its key was removed'),
  ]
  return `${wrong}: ${facts.filter(Boolean).join(', ')}`
}
