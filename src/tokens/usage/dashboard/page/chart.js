/** Tokens over time: the chart, its legend, its text alternative, and its table. */
import { drawBars } from './bars.js'
import { byId, element } from './dom.js'
import { bucket, number, share } from './format.js'
import { getColorName, getLabel, labelElement, sum } from './layers.js'

/** @import { ChartView } from '../view.ts' */

const COUNT_NAMES = {
  issued: 'issued',
  cached: 'served from cache',
  all: 'issued or served from cache',
}

/** @param {ChartView} view */
function makeLegend(view) {
  const items = view.layers.map((layer, index) =>
    element(
      'li',
      { title: getLabel(view, layer) },
      element('i', { class: `swatch ${getColorName(layer, index)}` }),
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
function fillLegend({ starts, step, layers }, rangeName, index) {
  const values = layers.map((layer) =>
    index === null ? sum(layer.values) : (layer.values[index] ?? 0),
  )
  const when = index === null ? rangeName : bucket(starts[index] ?? 0, step)
  byId('legend-head').replaceChildren(
    element('span', {}, when),
    element('b', {}, number(sum(values))),
  )
  for (const [position, item] of [...byId('layers').children].entries()) {
    item.lastElementChild?.replaceChildren(number(values[position] ?? 0))
  }
}

/** @param {ChartView} view @param {string} rangeName @returns {string} the text alternative of the chart */
function describe(view, rangeName) {
  const all = sum(view.layers.map(({ values }) => sum(values)))
  const [largest] = view.layers
  if (largest === undefined || all === 0) return `No tokens in the ${rangeName}.`
  const unit = view.step < 86_400 ? 'hour' : 'day'
  const most = sum(largest.values)
  return [
    `Stacked bars: tokens ${COUNT_NAMES[largest.count]} per ${unit} in the ${rangeName}, ${number(all)} in all.`,
    `Largest: ${getLabel(view, largest)} with ${number(most)}, ${share(most / all)}.`,
    'The table below has every number.',
  ].join(' ')
}

/** @param {ChartView} view */
function fillTable(view) {
  const [unit, head] = view.step < 86_400 ? ['hour', 'Hour'] : ['day', 'Day (UTC)']
  const names = view.layers.map((layer) =>
    element('th', { scope: 'col', class: 'number' }, labelElement(view, layer)),
  )
  const rows = view.starts.map((start, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, bucket(start, view.step)),
      ...view.layers.map(({ values }) =>
        element('td', { class: 'number' }, number(values[index] ?? 0)),
      ),
    ),
  )
  byId('chart-table').replaceChildren(
    element('caption', {}, `Tokens per ${unit}, latest first`),
    element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, head), ...names)),
    element('tbody', {}, ...rows.reverse()),
  )
}

/**
 * @param {ChartView} view
 * @param {string} rangeName such as `last 30 days`
 */
export function showChart(view, rangeName) {
  const frame = byId('plot')
  frame.setAttribute('aria-label', describe(view, rangeName))
  frame.classList.toggle('empty', view.layers.length === 0)
  makeLegend(view)
  fillLegend(view, rangeName, null)
  drawBars(view, (index) => fillLegend(view, rangeName, index))
  fillTable(view)
}
