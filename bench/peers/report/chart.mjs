/** Bars with quartile whiskers as SVG, in colours that can be read on white and on black. */
import { spread } from './spread.mjs'

const WIDTH = 760
const LABELS = 210
const RIGHT = 60
const BAR = 18
const STEP = 28
const HEAD = 56
const PANEL_HEAD = 34
const AXIS = 30
const GRID = 0.25

/** Middle tones: a picture in a page is not told whether the page is dark. */
const COLOURS = {
  text: '#768390',
  line: '#76839055',
  peer: '#7d8fa8',
  ours: '#2f9e6e',
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

function text(x, y, content, { size = 13, anchor = 'start', weight = 400 } = {}) {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escaped(content)}</text>`
}

/** @param x Where a share lies between the left end and the right. */
function bar({ name, values, ours }, y, x) {
  const { q1, median, q3 } = spread(values)
  const middle = y + BAR / 2
  const colour = ours ? COLOURS.ours : COLOURS.peer
  const whisker = `M${x(q1)} ${middle}H${x(q3)}M${x(q1)} ${middle - 4}v8M${x(q3)} ${middle - 4}v8`
  return [
    text(LABELS - 8, middle + 4.5, name, { anchor: 'end', weight: ours ? 700 : 400 }),
    `<rect x="${LABELS}" y="${y}" width="${(x(median) - LABELS).toFixed(1)}" height="${BAR}" rx="2" fill="${colour}" fill-opacity="${ours ? 0.65 : 0.45}"/>`,
    `<path d="${whisker}" stroke="${COLOURS.text}" stroke-width="2" fill="none"/>`,
    text(Math.max(x(q3), x(median)) + 8, middle + 4.5, median.toFixed(2), {
      weight: ours ? 700 : 400,
    }),
  ].join('\n')
}

/** Up to 1, and further where something came out better than the bare framework by chance. */
function scaleOf(panels) {
  const ends = panels.flatMap(({ bars }) => bars.map(({ values }) => spread(values).q3))
  return Math.ceil(Math.max(1, ...ends) / GRID) * GRID
}

function panel({ title, bars }, top, x, end) {
  const bottom = top + PANEL_HEAD + bars.length * STEP
  const shares = Array.from({ length: end / GRID + 1 }, (_, index) => index * GRID)
  const lines = shares.flatMap((share) => [
    `<path d="M${x(share)} ${top + PANEL_HEAD - 6}V${bottom}" stroke="${COLOURS.line}"/>`,
    text(x(share), bottom + 16, String(share), { size: 11, anchor: 'middle' }),
  ])
  const drawn = bars.map((it, index) => bar(it, top + PANEL_HEAD + index * STEP, x))
  return [text(LABELS, top + 18, title, { size: 14, weight: 700 }), ...lines, ...drawn].join('\n')
}

/**
 * @param panels Each with a `title` and `bars`: `name`, `values`, `ours`.
 * @returns The text of an SVG file.
 */
export function chart({ title, subtitle, panels }) {
  const end = scaleOf(panels)
  const x = (share) => Number((LABELS + (share / end) * (WIDTH - LABELS - RIGHT)).toFixed(1))
  const heights = panels.map(({ bars }) => PANEL_HEAD + bars.length * STEP + AXIS)
  const height = HEAD + heights.reduce((sum, it) => sum + it, 0)
  const tops = heights.map((_, index) =>
    heights.slice(0, index).reduce((sum, it) => sum + it, HEAD),
  )
  const summary = panels
    .flatMap(({ title: of, bars }) =>
      bars.map(({ name, values }) => `${of}, ${name}: ${spread(values).median.toFixed(2)}`),
    )
    .join('; ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" fill="${COLOURS.text}">
<title>${escaped(title)}</title>
<desc>${escaped(summary)}</desc>
${text(LABELS, 22, title, { size: 16, weight: 700 })}
${text(LABELS, 42, subtitle, { size: 12 })}
${panels.map((it, index) => panel(it, tops[index], x, end)).join('\n')}
</svg>
`
}
