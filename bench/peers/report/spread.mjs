/** Values of many rounds as a reader gets them: the median and where the middle half lies. */
import { quantile } from '../../measure.mjs'

export function spread(values) {
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(values, share))
  return { q1, median, q3 }
}

/** `0.97 (0.96–0.98)`. */
export function shown(values, digits) {
  const { q1, median, q3 } = spread(values)
  return `${median.toFixed(digits)} (${q1.toFixed(digits)}–${q3.toFixed(digits)})`
}
