/** Draws layers as stacked bars, in the colours of style.css. */
import { byId } from './dom.js'
import { short, tick } from './format.js'
import { colourName } from './layers.js'

/** @import uPlot from 'uplot' */
/** @import { ChartView } from '../view.ts' */

const HEIGHT = 300
const HOUR = 3600
const DAY = 24 * HOUR
/** Room for a label below the bars, in pixels. */
const LABEL = 64
/** Tokens have no halves. */
const STEPS = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((it) => it * 10 ** power),
).flat()

/** A classic script: it has no other door than the global object. */
const { uPlot: Plot } = /** @type {{ uPlot: typeof uPlot }} */ (/** @type {unknown} */ (globalThis))

const frame = byId('plot')
/** @type {uPlot | undefined} */
let plot
/** @type {() => void} */
let draw = () => {}

/** @param {string} name of a custom property */
const colour = (name) => getComputedStyle(frame).getPropertyValue(name).trim()

/**
 * Each bar reaches from the ground to the sum of what lies below its top, the tallest drawn first, so that of
 * each layer its own part is seen.
 *
 * @param {ChartView} view
 * @returns {uPlot.AlignedData}
 */
function stack({ starts, step, layers }) {
  let below = starts.map(() => 0)
  const tops = layers.map(({ values }) => {
    below = below.map((it, index) => it + (values[index] ?? 0))
    return below
  })
  return [starts.map((it) => it + step / 2), ...tops.reverse()]
}

/**
 * Which bars have a label: midnights where there are several days of hours, otherwise every so many.
 *
 * @param {ChartView} view
 * @param {number} width in pixels
 */
function labelled({ starts, step }, width) {
  const isMidnight = (/** @type {number} */ start) => new Date(1000 * start).getHours() === 0
  const severalDays = step === HOUR && starts.length > 24
  const candidates = severalDays ? starts.filter(isMidnight) : starts
  const every = Math.ceil((candidates.length * LABEL) / Math.max(LABEL, width))
  return candidates
    .filter((_start, index) => (candidates.length - 1 - index) % every === 0)
    .map((start) => start + step / 2)
}

/** @param {ChartView} view @returns {uPlot.Axis[]} */
function axes(view) {
  const { step, starts } = view
  const form = step === DAY || starts.length > 24 ? 'day' : 'hour'
  const font = `12px ${getComputedStyle(frame).fontFamily}`
  const axis = { stroke: colour('--quiet'), font, ticks: { show: false } }
  return [
    {
      ...axis,
      size: 30,
      grid: { show: false },
      splits: (self) => labelled(view, self.width - 64),
      values: (_self, splits) => splits.map((it) => tick(it - step / 2, step, form)),
    },
    {
      ...axis,
      size: 56,
      grid: { stroke: colour('--line'), width: 1 },
      incrs: STEPS,
      values: (_self, splits) => splits.map(short),
    },
  ]
}

/** @param {ChartView} view @param {(index: number | null) => void} onPoint @returns {uPlot.Options} */
function options(view, onPoint) {
  const { starts, step, layers } = view
  const first = starts[0] ?? 0
  const makePaths = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (Plot.paths.bars)
  const look = { stroke: colour('--panel'), width: 1, points: { show: false } }
  const paths = makePaths({ size: [0.86, 48] })
  const series = layers.map((layer, index) => ({
    ...look,
    ...{ paths, fill: colour(`--${colourName(layer, index)}`) },
  }))
  return {
    ...{
      width: frame.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [12, 8, 0, 0],
    },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { range: () => [first, first + step * starts.length] },
      y: { range: (_self, _least, most) => [0, Math.max(4, most * 1.08)] },
    },
    axes: axes(view),
    series: [{}, ...series.reverse()],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}

/**
 * @param {ChartView} view
 * @param {(index: number | null) => void} onPoint told which bar the pointer is over
 */
export function drawBars(view, onPoint) {
  draw = () => {
    plot?.destroy()
    plot = new Plot(options(view, onPoint), stack(view), frame)
  }
  draw()
}

new ResizeObserver(() => plot?.setSize({ width: frame.clientWidth, height: HEIGHT })).observe(frame)
// A canvas keeps the colours it was drawn in.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw())
