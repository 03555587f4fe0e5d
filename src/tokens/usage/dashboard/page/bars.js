/** Draws stacked bars with a line and marks, in the colors of style.css. */
import { tick } from './format.js'

/** @import uPlot from 'uplot' */

/**
 * @typedef {object} Bars
 * @property {readonly number[]} starts of the bars in epoch seconds
 * @property {number} step in seconds
 * @property {readonly (readonly number[])[]} layers values of each layer, the lowest first
 * @property {readonly string[]} colors of the layers: names of custom properties
 * @property {(value: number) => string} format of the vertical axis
 * @property {number} [least] smallest top of the vertical axis
 * @property {{ value: number, label: string } | null} [line] horizontal
 * @property {ReadonlyMap<number, string>} [marks] text above a bar, by its start
 */

const HEIGHT = 300
const HOUR = 3600
const DAY = 24 * HOUR
/** Width of a label below the bars, in pixels. */
const LABEL = 64
/** Steps of the vertical axis, from cents to millions. */
const STEPS = Array.from({ length: 14 }, (_, power) =>
  [1, 2, 5].map((factor) => factor * 10 ** (power - 2)),
).flat()

/** uPlot is a classic script, which defines a global. */
const { uPlot: Plot } = /** @type {{ uPlot: typeof uPlot }} */ (/** @type {unknown} */ (globalThis))

/**
 * Computes cumulative sums. Each bar starts at 0, and the tallest is drawn first, so that the visible part of a bar
 * is the value of its layer.
 *
 * @param {Bars} bars
 * @returns {uPlot.AlignedData}
 */
function stack({ starts, step, layers }) {
  let sums = starts.map(() => 0)
  const tops = layers.map((values) => {
    sums = sums.map((total, index) => total + (values[index] ?? 0))
    return sums
  })
  return [starts.map((start) => start + step / 2), ...tops.reverse()]
}

/**
 * Selects the bars with a label: midnights for several days of hours, otherwise bars at equal distances.
 *
 * @param {Bars} bars
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

/** @param {HTMLElement} frame @param {string} name of a custom property */
const getColor = (frame, name) => getComputedStyle(frame).getPropertyValue(`--${name}`).trim()

/** @param {HTMLElement} frame @param {Bars} bars @returns {uPlot.Axis[]} */
function createAxes(frame, bars) {
  const { step, starts, format } = bars
  const form = step === DAY || starts.length > 24 ? 'day' : 'hour'
  const font = `12px ${getComputedStyle(frame).fontFamily}`
  const axis = { stroke: getColor(frame, 'quiet'), font, ticks: { show: false } }
  return [
    {
      ...axis,
      size: 30,
      grid: { show: false },
      splits: (self) => getLabelPositions(bars, self.width - LABEL),
      values: (_self, splits) => splits.map((position) => tick(position - step / 2, step, form)),
    },
    {
      ...axis,
      size: 60,
      grid: { stroke: getColor(frame, 'line'), width: 1 },
      incrs: STEPS,
      values: (_self, splits) => splits.map(format),
    },
  ]
}

/**
 * Draws the line and the marks over the bars.
 *
 * @param {HTMLElement} frame @param {Bars} bars @param {uPlot} self
 */
function drawExtras(frame, { step, line, marks = new Map() }, self) {
  const { ctx, bbox } = self
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = `600 ${12 * ratio}px ${getComputedStyle(frame).fontFamily}`
  ctx.fillStyle = getColor(frame, 'warning')
  ctx.textBaseline = 'bottom'
  ctx.textAlign = 'center'
  for (const [start, text] of marks) {
    const center = start + step / 2
    const index = self.data[0].indexOf(center)
    const top = Number(self.data[1]?.[index] ?? 0)
    ctx.fillText(text, self.valToPos(center, 'x', true), self.valToPos(top, 'y', true) - 2 * ratio)
  }
  if (line) {
    const y = self.valToPos(line.value, 'y', true)
    ctx.strokeStyle = ctx.fillStyle
    ctx.lineWidth = 2 * ratio
    ctx.setLineDash([6 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.textAlign = 'left'
    ctx.fillText(line.label, bbox.left + 4 * ratio, y - 3 * ratio)
  }
  ctx.restore()
}

/**
 * @param {HTMLElement} frame @param {Bars} bars @param {(index: number | null) => void} onPoint
 * @returns {uPlot.Options}
 */
function createOptions(frame, bars, onPoint) {
  const { starts, step, colors, line, least = 4 } = bars
  const first = starts[0] ?? 0
  const makePaths = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (Plot.paths.bars)
  const look = { stroke: getColor(frame, 'panel'), width: 1, points: { show: false } }
  const paths = makePaths({ size: [0.86, 48] })
  const series = colors.map((color) => ({ ...look, paths, fill: getColor(frame, color) }))
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [12, 20, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { range: () => [first, first + step * starts.length] },
      y: { range: (_self, _least, most) => [0, 1.1 * Math.max(least, most, line?.value ?? 0)] },
    },
    axes: createAxes(frame, bars),
    series: [{}, ...series.reverse()],
    hooks: {
      setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)],
      draw: [(self) => drawExtras(frame, bars, self)],
    },
  }
}

/** Draws each chart again. @type {(() => void)[]} */
const redraws = []

/** A canvas does not follow the colors of the page, so it is drawn again when they change. */
export function redrawBars() {
  for (const redraw of redraws) redraw()
}

/**
 * Prepares an element for bars.
 *
 * @param {HTMLElement} frame
 * @returns {(bars: Bars, onPoint: (index: number | null) => void) => void} draws. `onPoint` receives the index of the
 * bar under the pointer, or null.
 */
export function createBars(frame) {
  /** @type {uPlot | undefined} */
  let plot
  /** @type {() => void} */
  let draw = () => {}
  new ResizeObserver(() => plot?.setSize({ width: frame.clientWidth, height: HEIGHT })).observe(
    frame,
  )
  redraws.push(() => draw())
  return (bars, onPoint) => {
    draw = () => {
      plot?.destroy()
      plot = new Plot(createOptions(frame, bars, onPoint), stack(bars), frame)
    }
    draw()
  }
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawBars)
