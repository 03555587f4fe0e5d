/** Cost of the last and the current month by day, with the forecast and the budget. */
import { createBars } from './bars.js'
import { byId, element } from './dom.js'
import { bucket, money, monthName, share, shortMoney } from './format.js'

/** @import { SummaryView } from '../view.ts' */

const DAY = 86_400

/**
 * A day of the chart.
 *
 * @typedef {object} DayTotal
 * @property {number} start in epoch seconds
 * @property {number | null} cost of the day; null for a day in the future
 * @property {number} total cost of the month at the end of the day, or now
 * @property {number} projected what the forecast adds until the end of the day
 */

const drawBars = createBars(byId('cost-plot'))

/** @param {number} start of a month */
function getNextMonth(start) {
  const date = new Date(1000 * start)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / 1000
}

/** @param {SummaryView} summary @returns {DayTotal[]} */
function listDays({ at, days, lastMonth, month, forecast }) {
  const costs = new Map(days.map(({ start, cost }) => [start, cost]))
  const end = getNextMonth(month.start)
  /** @type {DayTotal[]} */
  const totals = []
  let total = 0
  for (let start = lastMonth.start; start < end; start += DAY) {
    if (start === month.start) total = 0
    total += costs.get(start) ?? 0
    const passed = Math.max(0, (start + DAY - at) / (end - at))
    const projected = start + DAY <= at ? 0 : (forecast.cost - month.cost) * passed
    const isFuture = start > at
    totals.push(
      isFuture
        ? { start, cost: null, total: 0, projected: total + projected }
        : { start, cost: costs.get(start) ?? 0, total, projected },
    )
  }
  return totals
}

/**
 * @param {SummaryView} summary
 * @param {DayTotal | undefined} day under the pointer
 */
function fillLegend({ currency, budget, lastMonth, month, forecast }, day) {
  const amount = money(currency)
  /** @type {readonly (readonly [swatch: string, label: string, value: string])[]} */
  const items =
    day === undefined
      ? [
          ['cost', monthName(lastMonth.start), amount(lastMonth.cost)],
          ['cost', `${monthName(month.start)} so far`, amount(month.cost)],
          ['forecast', `${monthName(month.start)} forecast`, amount(forecast.cost)],
        ]
      : [
          ['cost', 'Of the day', day.cost === null ? '–' : amount(day.cost)],
          ['cost', 'Month so far', day.cost === null ? '–' : amount(day.total)],
          ['forecast', 'At the end of the day', amount(day.total + day.projected)],
        ]
  byId('cost-head').textContent = day === undefined ? 'by month' : bucket(day.start, DAY)
  byId('cost-layers').replaceChildren(
    ...[...items, ...(budget === null ? [] : [['budget', 'Budget', amount(budget)]])].map(
      ([swatch, label, value]) =>
        element(
          'li',
          {},
          element('i', { class: `swatch ${swatch}` }),
          element('span', { class: 'name' }, String(label)),
          element('span', { class: 'value' }, String(value)),
        ),
    ),
  )
}

/** @param {SummaryView} summary @returns {string} the text alternative of the chart */
function describe({ currency, budget, lastMonth, month, forecast }) {
  const amount = money(currency)
  return [
    `Bars: cost of the month so far, by day. ${monthName(lastMonth.start)}: ${amount(lastMonth.cost)}.`,
    `${monthName(month.start)}: ${amount(month.cost)} so far, ${amount(forecast.cost)} at its end.`,
    budget === null
      ? ''
      : `That is ${share(forecast.cost / budget)} of the budget of ${amount(budget)}.`,
    'The table below has every number.',
  ].join(' ')
}

/** @param {SummaryView} summary @param {readonly DayTotal[]} totals */
function fillTable({ currency }, totals) {
  const amount = money(currency)
  const rows = totals.flatMap(({ start, cost, total }) => {
    if (cost === null) return []
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, bucket(start, DAY)),
      element('td', { class: 'number' }, amount(cost)),
      element('td', { class: 'number' }, amount(total)),
    )
  })
  const heads = ['Cost', 'Month so far'].map((label) =>
    element('th', { scope: 'col', class: 'number' }, label),
  )
  byId('cost-table').replaceChildren(
    element('caption', {}, 'Cost per day, latest first'),
    element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Day (UTC)'), ...heads)),
    element('tbody', {}, ...rows.reverse()),
  )
}

/** @param {SummaryView} summary */
export function showCosts(summary) {
  const { currency, budget } = summary
  const totals = listDays(summary)
  byId('cost-plot').setAttribute('aria-label', describe(summary))
  fillLegend(summary, undefined)
  const bars = {
    starts: totals.map(({ start }) => start),
    step: DAY,
    least: 0.01,
    layers: [totals.map(({ total }) => total), totals.map(({ projected }) => projected)],
    colors: ['cost', 'forecast'],
    format: shortMoney(currency),
    line: budget === null ? null : { value: budget, label: `Budget ${money(currency)(budget)}` },
  }
  drawBars(bars, (index) => fillLegend(summary, index === null ? undefined : totals[index]))
  fillTable(summary, totals)
}
