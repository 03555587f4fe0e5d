/** Colors of clients. A color comes from the id of the client, so that it stays when ranks change. */

/** @import { LayerView } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

/** Colors of clients in style.css. */
const COLORS = 12
const REST = 'layer-rest'

/** @param {UsageSubject} subject */
const getKey = ({ kind, userPoolId, clientId }) => JSON.stringify([kind, userPoolId, clientId])

/** FNV-1a with 32 bits. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5
  for (const character of text) {
    value = Math.imul(value ^ /** @type {number} */ (character.codePointAt(0)), 0x01000193)
  }
  return value >>> 0
}

/**
 * Returns the color of each layer. If two clients in a chart have the same color, the later one by id takes the next
 * unused color.
 *
 * @param {readonly LayerView[]} layers
 * @returns {readonly string[]} classes of swatches, which are also custom properties
 */
export function getColorNames(layers) {
  /** @type {Map<string, number>} */
  const colors = new Map()
  const keys = layers.flatMap(({ subject }) => (subject === null ? [] : [getKey(subject)]))
  for (const key of [...new Set(keys)].sort()) {
    const used = new Set(colors.values())
    let color = hash(key) % COLORS
    while (used.has(color)) color = (color + 1) % COLORS
    colors.set(key, color)
  }
  return layers.map(({ subject, count }, index) => {
    // The second layer of one client is its tokens from the cache.
    const isSecond = index > 0 && count === 'cached' && layers[0]?.count === 'issued'
    if (subject === null || isSecond) return REST
    return `layer-${/** @type {number} */ (colors.get(getKey(subject))) + 1}`
  })
}
