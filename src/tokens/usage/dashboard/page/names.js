/** Names of clients as text that can be looked at: they are whatever somebody chose. */
import { element } from './dom.js'

/** @import { UsageSubject } from '../../types.ts' */

/** Longest name that is shown whole, in characters; the whole of a longer one is its title. */
const SHOWN = 40
const HEAD = 26
const TAIL = 11

/** What is not seen, or makes its surroundings look otherwise: controls, directions, joiners, unassigned. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|[\u0300-\u036f]{3,}/gu

/** @param {string} text */
export function visible(text) {
  return text.replace(UNSEEN, (unseen) =>
    Array.from(unseen, (it) => `\u27e8U+${hexOf(it)}\u27e9`).join(''),
  )
}

/** @param {string} character */
function hexOf(character) {
  const code = /** @type {number} */ (character.codePointAt(0))
  return code.toString(16).toUpperCase().padStart(4, '0')
}

/** @param {string} text */
function clip(text) {
  const characters = Array.from(text)
  if (characters.length <= SHOWN) return text
  return `${characters.slice(0, HEAD).join('')}…${characters.slice(-TAIL).join('')}`
}

/**
 * @param {UsageSubject | null} subject null: the clients that have no layer of their own
 * @returns {string} the whole name
 */
export function nameOf(subject) {
  if (subject === null) return 'All others'
  if (subject.kind === 'other') return 'Clients beyond the limit'
  if (subject.kind === 'unverified') return 'Not verified'
  return visible(/** @type {string} */ (subject.clientId))
}

/**
 * Kept apart from its neighbours, whichever way it is written.
 *
 * @param {UsageSubject | null} subject
 */
export function nameElement(subject) {
  const name = nameOf(subject)
  const made = element('bdi', { class: 'name' }, clip(name))
  if (made.textContent !== name) made.title = name
  if (subject?.kind !== 'client') made.classList.add('together')
  return made
}

/** @param {string} id of a user pool */
export function poolElement(id) {
  const whole = visible(id)
  return element('bdi', { class: 'pool', title: whole }, clip(whole))
}
