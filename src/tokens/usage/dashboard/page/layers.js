/** What the layers of a chart are called, and which colour they have. */
import { element } from './dom.js'
import { nameElement, nameOf } from './names.js'

/** @import { ChartView, LayerView } from '../view.ts' */

/** The colour of those that have none of their own. */
const REST = 8

/** @param {readonly number[]} values */
export const sum = (values) => values.reduce((total, it) => total + it, 0)

/**
 * @param {LayerView} layer
 * @param {number} index
 * @returns {string} class of its swatch, and custom property of its colour
 */
export function colourName({ subject }, index) {
  return `layer-${subject === null ? REST : index + 1}`
}

/**
 * Of one client, layers are told apart by where its tokens came from.
 *
 * @param {ChartView} view
 */
export function isByCount({ layers }) {
  return layers.some(({ subject, count }) =>
    layers.some((it) => it.count !== count && it.subject?.clientId === subject?.clientId),
  )
}

/** @param {ChartView} view @param {LayerView} layer @returns {string} */
export function labelOf(view, { subject, clients, count }) {
  if (isByCount(view)) return count === 'issued' ? 'Issued' : 'From cache'
  return subject === null ? `${clients} other clients` : nameOf(subject)
}

/** @param {ChartView} view @param {LayerView} layer */
export function labelElement(view, layer) {
  if (layer.subject !== null && !isByCount(view)) return nameElement(layer.subject)
  return element('span', { class: 'name' }, labelOf(view, layer))
}
