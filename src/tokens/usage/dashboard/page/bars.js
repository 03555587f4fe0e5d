/** Draws layers as stacked bars, in the colors of style.css. */
import { byId } from './dom.js'
import { short, tick } from './format.js'
import { getColorName } from './layers.js'

/** @import uPlot from 'uplot' */
/** @import { ChartView } from '../view.ts' */

const HEIGHT = 300
const HOUR = 3600
const DAY = 24 * HOUR
/** Width of a label below the bars, in pixels. */
const LABEL = 64
/** Whole numbers only, as steps of the vertical axis. */
const STEPS = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((factor) => factor * 10 ** power),
).flat()

/** uPlot is a classic script, which defines a global. */
const { uPlot: Plot } = /** @type {{ uPlot: typeof uPlot }} */ (/** @type {unknown} */ (globalThis))

const frame = byId('plot')
/** @type {uPlot | undefined} */
let plot
/** @type {() => void} */
let draw = () => {}

/** @param {string} name of a custom property */
const getColor = (name) => getComputedStyle(frame).getPropertyValue(name).trim()

/**
 * Computes cumulative sums. Each bar starts at 0, and the tallest is drawn first, so that the visible part of a bar
 * is the value of its layer.
 *
 * @param {ChartView} view
 * @returns {uPlot.AlignedData}
 */
function stack({ starts, step, layers }) {
  let sums = starts.map(() => 0)
  const tops = layers.map(({ values }) => {
    sums = sums.map((total, index) => total + (values[index] ?? 0))
    return sums
  })
  return [starts.map((start) => start + step / 2), ...tops.reverse()]
}

/**
 * Selects the bars with a label: midnights for several days of hours, otherwise bars at equal distances.
 *
 * @param {ChartView} view
 * @param {number} width in pixels
 */
function getLabelPositions({ starts, step }, width) {
  const isMidnight = (/** @type {number} */ start) => new Date(1000 * start).getHours() === 0
  const severalDays = step === HOUR && starts.length > 24
  const candidates = severalDays ? starts.filter(isMidnight) : starts
  const every = Math.ceil((candidates.length * LABEL) / Math.max(LABEL, width))
  return candidates
    .filter((_start, index) => (candidates.length - 1 - index) % every === 0)
    .map((start) => start + step / 2)
}

/** @param {ChartView} view @returns {uPlot.Axis[]} */
function createAxes(view) {
  const { step, starts } = view
  const form = step === DAY || starts.length > 24 ? 'day' : 'hour'
  const font = `12px ${getComputedStyle(frame).fontFamily}`
  const axis = { stroke: getColor('--quiet'), font, ticks: { show: false } }
  return [
    {
      ...axis,
      size: 30,
      grid: { show: false },
      splits: (self) => getLabelPositions(view, self.width - 64),
      values: (_self, splits) => splits.map((position) => tick(position - step / 2, step, form)),
    },
    {
      ...axis,
      size: 56,
      grid: { stroke: getColor('--line'), width: 1 },
      incrs: STEPS,
      values: (_self, splits) => splits.map(short),
    },
  ]
}

/** @param {ChartView} view @param {(index: number | null) => void} onPoint @returns {uPlot.Options} */
function createOptions(view, onPoint) {
  const { starts, step, layers } = view
  const first = starts[0] ?? 0
  const makePaths = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (Plot.paths.bars)
  const look = { stroke: getColor('--panel'), width: 1, points: { show: false } }
  const paths = makePaths({ size: [0.86, 48] })
  const series = layers.map((layer, index) => ({
    ...look,
    paths,
    fill: getColor(`--${getColorName(layer, index)}`),
  }))
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [12, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { range: () => [first, first + step * starts.length] },
      y: { range: (_self, _least, most) => [0, Math.max(4, most * 1.08)] },
    },
    axes: createAxes(view),
    series: [{}, ...series.reverse()],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}

/**
 * @param {ChartView} view
 * @param {(index: number | null) => void} onPoint Receives the index of the bar under the pointer, or null.
 */
export function drawBars(view, onPoint) {
  draw = () => {
    plot?.destroy()
    plot = new Plot(createOptions(view, onPoint), stack(view), frame)
  }
  draw()
}

new ResizeObserver(() => plot?.setSize({ width: frame.clientWidth, height: HEIGHT })).observe(frame)
// A canvas does not follow the color scheme, so it is drawn again.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw())
