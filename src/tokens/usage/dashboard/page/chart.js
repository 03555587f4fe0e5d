/** Tokens or cost over time: the chart, its legend, its text alternative, and its table. */
import { createBars } from './bars.js'
import { getColorNames } from './colors.js'
import { byId, element } from './dom.js'
import { bucket, money, number, share, short, shortMoney, times } from './format.js'
import { getLabel, labelElement, sum } from './layers.js'

/** @import { ChartView } from '../view.ts' */

const COUNT_NAMES = {
  issued: 'tokens issued',
  cached: 'tokens served from cache',
  all: 'tokens issued or served from cache',
  cost: 'cost of the issued tokens',
}

const drawBars = createBars(byId('plot'))

/** @param {ChartView} view @returns {(value: number) => string} */
const getFormat = ({ currency }) => (currency === null ? number : money(currency))

/** @param {ChartView} view @param {readonly string[]} colors */
function makeLegend(view, colors) {
  const items = view.layers.map((layer, index) =>
    element(
      'li',
      { title: getLabel(view, layer) },
      element('i', { class: `swatch ${colors[index]}` }),
      labelElement(view, layer),
      element('span', { class: 'value' }),
    ),
  )
  byId('layers').replaceChildren(...items)
}

/**
 * @param {ChartView} view
 * @param {string} rangeName
 * @param {number | null} index of a bar; null: the whole range
 */
function fillLegend(view, rangeName, index) {
  const { starts, step, layers } = view
  const format = getFormat(view)
  const values = layers.map((layer) =>
    index === null ? sum(layer.values) : (layer.values[index] ?? 0),
  )
  const when = index === null ? rangeName : bucket(starts[index] ?? 0, step)
  byId('legend-head').replaceChildren(
    element('span', {}, when),
    element('b', {}, format(sum(values))),
  )
  for (const [position, item] of [...byId('layers').children].entries()) {
    item.lastElementChild?.replaceChildren(format(values[position] ?? 0))
  }
}

/** @param {ChartView} view @param {string} rangeName @returns {string} the text alternative of the chart */
function describe(view, rangeName) {
  const format = getFormat(view)
  const all = sum(view.layers.map(({ values }) => sum(values)))
  const [largest] = view.layers
  if (largest === undefined || all === 0) return `No tokens in the ${rangeName}.`
  const unit = view.step < 86_400 ? 'hour' : 'day'
  const most = sum(largest.values)
  return [
    `Stacked bars: ${COUNT_NAMES[largest.count]} per ${unit} in the ${rangeName}, ${format(all)} in all.`,
    `Largest: ${getLabel(view, largest)} with ${format(most)}, ${share(most / all)}.`,
    'The table below has every number.',
  ].join(' ')
}

/** @param {ChartView} view */
function fillTable(view) {
  const format = getFormat(view)
  const [unit, head] = view.step < 86_400 ? ['hour', 'Hour'] : ['day', 'Day (UTC)']
  const what = view.currency === null ? 'Tokens' : 'Cost'
  const names = view.layers.map((layer) =>
    element('th', { scope: 'col', class: 'number' }, labelElement(view, layer)),
  )
  const rows = view.starts.map((start, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, bucket(start, view.step)),
      ...view.layers.map(({ values }) =>
        element('td', { class: 'number' }, format(values[index] ?? 0)),
      ),
    ),
  )
  byId('chart-table').replaceChildren(
    element('caption', {}, `${what} per ${unit}, latest first`),
    element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, head), ...names)),
    element('tbody', {}, ...rows.reverse()),
  )
}

/** The largest factor of each day. @param {ChartView} view @returns {ReadonlyMap<number, string>} */
function getMarks({ anomalies }) {
  const ascending = [...anomalies].sort((a, b) => a.factor - b.factor)
  return new Map(ascending.map(({ start, factor }) => [start, times(factor)]))
}

/**
 * @param {ChartView} view
 * @param {string} rangeName such as `last 30 days`
 */
export function showChart(view, rangeName) {
  const frame = byId('plot')
  frame.setAttribute('aria-label', describe(view, rangeName))
  frame.classList.toggle('empty', view.layers.length === 0)
  const colors = getColorNames(view.layers)
  makeLegend(view, colors)
  fillLegend(view, rangeName, null)
  const bars = {
    starts: view.starts,
    step: view.step,
    colors,
    marks: getMarks(view),
    layers: view.layers.map(({ values }) => values),
    ...(view.currency === null
      ? { format: short }
      : { format: shortMoney(view.currency), least: 0.01 }),
  }
  drawBars(bars, (index) => fillLegend(view, rangeName, index))
  fillTable(view)
}
