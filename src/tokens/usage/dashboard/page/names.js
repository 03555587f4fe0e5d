/** Displays names of clients, which can contain any characters. */
import { element } from './dom.js'

/** @import { UsageSubject } from '../../types.ts' */

/** Characters of a name that is not shortened. The title shows a longer name. */
const MAX_LENGTH = 40
const HEAD_LENGTH = 26
const TAIL_LENGTH = 11

/** Invisible characters and those that change the display of others: controls, directions, joiners, unassigned. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|[\u0300-\u036f]{3,}/gu

/** @param {string} text */
export function visible(text) {
  return text.replace(INVISIBLE, (run) =>
    Array.from(run, (character) => `\u27e8U+${toHex(character)}\u27e9`).join(''),
  )
}

/** @param {string} character */
function toHex(character) {
  const code = /** @type {number} */ (character.codePointAt(0))
  return code.toString(16).toUpperCase().padStart(4, '0')
}

/** @param {string} text */
function clip(text) {
  const characters = Array.from(text)
  if (characters.length <= MAX_LENGTH) return text
  return `${characters.slice(0, HEAD_LENGTH).join('')}…${characters.slice(-TAIL_LENGTH).join('')}`
}

/**
 * @param {UsageSubject | null} subject null for the clients without a separate layer
 * @returns {string} the whole name
 */
export function getName(subject) {
  if (subject === null) return 'All others'
  if (subject.kind === 'other') return 'Clients beyond the limit'
  if (subject.kind === 'unverified') return 'Not verified'
  return visible(/** @type {string} */ (subject.clientId))
}

/**
 * Isolates the direction of the name from the surrounding text.
 *
 * @param {UsageSubject | null} subject
 */
export function nameElement(subject) {
  const name = getName(subject)
  const created = element('bdi', { class: 'name' }, clip(name))
  if (created.textContent !== name) created.title = name
  if (subject?.kind !== 'client') created.classList.add('together')
  return created
}

/** @param {string} id of a user pool */
export function poolElement(id) {
  const name = visible(id)
  return element('bdi', { class: 'pool', title: name }, clip(name))
}
