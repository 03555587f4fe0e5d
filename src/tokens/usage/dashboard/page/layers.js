/** Labels of the layers of a chart. */
import { element } from './dom.js'
import { getName, nameElement } from './names.js'

/** @import { ChartView, LayerView } from '../view.ts' */

/** @param {readonly number[]} values */
export const sum = (values) => values.reduce((total, value) => total + value, 0)

/**
 * Whether the layers show the counts of one client instead of several clients.
 *
 * @param {ChartView} view
 */
export function hasSeveralCounts({ layers }) {
  return layers.some(({ subject, count }) =>
    layers.some((other) => other.count !== count && other.subject?.clientId === subject?.clientId),
  )
}

/** @param {ChartView} view @param {LayerView} layer @returns {string} */
export function getLabel(view, { subject, clients, count }) {
  if (hasSeveralCounts(view)) return count === 'issued' ? 'Issued' : 'From cache'
  return subject === null ? `${clients} other clients` : getName(subject)
}

/** @param {ChartView} view @param {LayerView} layer */
export function labelElement(view, layer) {
  if (layer.subject !== null && !hasSeveralCounts(view)) return nameElement(layer.subject)
  return element('span', { class: 'name' }, getLabel(view, layer))
}
