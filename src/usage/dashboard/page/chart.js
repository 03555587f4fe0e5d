/** Draws layers as stacked bars, with a legend that tells the bar under the pointer. */
import { byId, element } from './dom.js'
import { bucket, number, share, short } from './format.js'
import { nameElement, nameOf } from './names.js'

/** @import uPlot from 'uplot' */
/** @import { ChartView, LayerView } from '../view.ts' */

const HEIGHT = 300
/** Whole numbers to count in: tokens have no halves. */
const STEPS = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((it) => it * 10 ** power),
).flat()
const COUNT_NAMES = { issued: 'issued', cached: 'from cache', all: 'issued or from cache' }

/** A classic script: it has no other door than the global object. */
const { uPlot: Plot } = /** @type {{ uPlot: typeof uPlot }} */ (/** @type {unknown} */ (globalThis))

const frame = byId('plot')
/** @type {uPlot | undefined} */
let drawn
/** @type {{ view: ChartView, rangeName: string } | undefined} */
let shown

/** @param {LayerView} layer */
const total = ({ values }) => values.reduce((sum, it) => sum + it, 0)

/** @param {string} name of a custom property of style.css */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** @param {ChartView} view @param {number} index */
function layerNumber({ layers }, index) {
  return layers[index]?.subject === null ? 8 : index + 1
}

/**
 * Each bar reaches from the ground to the sum of what lies below its top, the tallest drawn first, so that of
 * each layer its own part is seen.
 *
 * @param {ChartView} view
 * @returns {uPlot.AlignedData}
 */
function stack({ starts, layers }) {
  const sums = /** @type {number[]} */ (starts.map(() => 0))
  const tops = layers.map(({ values }) => {
    for (const [index, value] of values.entries())
      sums[index] = /** @type {number} */ (sums[index]) + value
    return [...sums]
  })
  return [[...starts], ...tops.reverse()]
}

/** @param {ChartView} view @returns {uPlot.Options} */
function options(view) {
  const { starts, step, layers } = view
  const [ink, grid, ground] = [colour('--quiet'), colour('--line'), colour('--panel')]
  const font = `12px ${getComputedStyle(document.body).fontFamily}`
  const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } }
  const first = starts[0] ?? 0
  const end = (starts.at(-1) ?? 0) + step
  const bars = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (Plot.paths.bars)
  const paths = bars({ align: 1, size: [0.86, 48] })
  return {
    ...{ width: frame.clientWidth, height: HEIGHT, legend: { show: false } },
    padding: [12, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { range: () => [first, end] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.08)] },
    },
    ...(step < 86_400
      ? {}
      : {
          tzDate: (/** @type {number} */ seconds) =>
            Plot.tzDate(new Date(1000 * seconds), 'Etc/UTC'),
        }),
    axes: [
      axis,
      {
        ...axis,
        size: 56,
        incrs: STEPS,
        values: (_plot, values) => values.map(short),
      },
    ],
    series: [
      {},
      ...layers
        .map((_layer, index) => {
          const fill = colour(`--layer-${layerNumber(view, index)}`)
          return { fill, stroke: ground, width: 1, paths, points: { show: false } }
        })
        .reverse(),
    ],
    hooks: { setCursor: [(plot) => showLegend(plot.cursor.idx ?? null)] },
  }
}

function draw() {
  drawn?.destroy()
  drawn = shown && new Plot(options(shown.view), stack(shown.view), frame)
}

/** @param {number | null} index of the bar; null: the whole range */
function showLegend(index) {
  if (shown === undefined) return
  const { view, rangeName } = shown
  const values = view.layers.map((layer) =>
    index === null ? total(layer) : /** @type {number} */ (layer.values[index]),
  )
  const all = values.reduce((sum, it) => sum + it, 0)
  const when =
    index === null ? rangeName : bucket(/** @type {number} */ (view.starts[index]), view.step)
  byId('legend-head').replaceChildren(element('span', {}, when), element('b', {}, number(all)))
  for (const [position, item] of [...byId('layers').children].entries()) {
    item.lastElementChild?.replaceChildren(number(values[position] ?? 0))
  }
}

/** @param {ChartView} view */
function makeLegend(view) {
  byId('layers').replaceChildren(
    ...view.layers.map((layer, index) =>
      element(
        'li',
        {},
        element('i', { class: `swatch layer-${layerNumber(view, index)}` }),
        labelElement(layer, isSingle(view)),
        element('span', { class: 'value' }),
      ),
    ),
  )
}

/** @param {ChartView} view @returns {boolean} whether it is about one client, by what its tokens came from */
function isSingle({ layers }) {
  return new Set(layers.map(({ subject }) => JSON.stringify(subject))).size < layers.length
}

/** @param {LayerView} layer @param {boolean} byCount @returns {string} */
export function labelOf({ subject, clients, count }, byCount) {
  if (byCount) return count === 'issued' ? 'Issued' : 'From cache'
  return subject === null ? `${clients} other clients` : nameOf(subject)
}

/** @param {LayerView} layer @param {boolean} byCount */
function labelElement(layer, byCount) {
  return byCount || layer.subject === null
    ? element('span', { class: 'name' }, labelOf(layer, byCount))
    : nameElement(layer.subject)
}

/** @param {ChartView} view @param {string} rangeName @returns {string} what the picture says, in words */
function describe(view, rangeName) {
  const sum = view.layers.reduce((all, layer) => all + total(layer), 0)
  const [largest] = view.layers
  if (largest === undefined || sum === 0) return `No tokens in the ${rangeName}.`
  const unit = view.step < 86_400 ? 'hour' : 'day'
  return `Stacked bars: tokens ${COUNT_NAMES[largest.count]} per ${unit} in the ${rangeName}, ${number(sum)} in all. Largest: ${labelOf(largest, isSingle(view))} with ${number(total(largest))}, ${share(total(largest) / sum)}. The table below has every number.`
}

/** @param {ChartView} view */
function fillTable(view) {
  const byCount = isSingle(view)
  const unit = view.step < 86_400 ? 'Hour' : 'Day (UTC)'
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col' }, unit),
    ...view.layers.map((layer) =>
      element('th', { scope: 'col', class: 'number' }, labelElement(layer, byCount)),
    ),
  )
  const rows = view.starts.map((start, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, bucket(start, view.step)),
      ...view.layers.map(({ values }) =>
        element('td', { class: 'number' }, number(/** @type {number} */ (values[index]))),
      ),
    ),
  )
  byId('chart-table').replaceChildren(
    element('caption', {}, `Tokens per ${view.step < 86_400 ? 'hour' : 'day'}, latest first`),
    element('thead', {}, head),
    element('tbody', {}, ...rows.reverse()),
  )
}

/**
 * @param {ChartView} view
 * @param {string} rangeName such as `last 30 days`
 */
export function showChart(view, rangeName) {
  shown = { view, rangeName }
  frame.setAttribute('aria-label', describe(view, rangeName))
  frame.classList.toggle('empty', view.layers.length === 0)
  makeLegend(view)
  showLegend(null)
  draw()
  fillTable(view)
}

new ResizeObserver(() => drawn?.setSize({ width: frame.clientWidth, height: HEIGHT })).observe(
  frame,
)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
