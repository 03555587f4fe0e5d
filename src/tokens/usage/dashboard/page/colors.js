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

/** @param {string} key @param {ReadonlySet<number>} used */
function findColor(key, used) {
  let color = assigned.get(key) ?? hash(key) % COLORS
  while (used.size < COLORS && used.has(color)) color = (color + 1) % COLORS
  return color
}

/** Colors of all clients. @type {ReadonlyMap<string, number>} */
let assigned = new Map()

/**
 * @param {readonly string[]} keys
 * @returns {ReadonlyMap<string, number>} different colors while there are unused ones, in the order of the ids
 */
function findColors(keys) {
  /** @type {Map<string, number>} */
  const colors = new Map()
  const used = new Set()
  for (const key of [...new Set(keys)].sort()) {
    const color = findColor(key, used)
    used.add(color)
    colors.set(key, color)
  }
  return colors
}

/**
 * Assigns the colors of all clients, so that each chart shows a client in the same color.
 *
 * @param {readonly UsageSubject[]} subjects
 */
export function assignColors(subjects) {
  assigned = new Map()
  assigned = findColors(subjects.filter(({ kind }) => kind !== 'unverified').map(getKey))
}

/**
 * Returns the color of each layer. With more clients than colors, two clients of a chart can have the same one. The
 * later one by id then takes the next unused color.
 *
 * @param {readonly LayerView[]} layers
 * @returns {readonly string[]} classes of swatches, which are also custom properties
 */
export function getColorNames(layers) {
  const keys = layers.flatMap(({ subject }) => (subject === null ? [] : [getKey(subject)]))
  const colors = findColors(keys)
  return layers.map(({ subject, count }, index) => {
    // The second layer of one client is its tokens from the cache.
    const isSecond = index > 0 && count === 'cached' && layers[0]?.count === 'issued'
    if (subject === null || isSecond) return REST
    return `layer-${/** @type {number} */ (colors.get(getKey(subject))) + 1}`
  })
}
