/** Displays names of clients, which can contain any characters. */
import { element } from './dom.js'

/** @import { NamedSubject } from '../view.ts' */

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
 * @param {NamedSubject} subject
 * @returns {string} the whole name
 */
export function getName(subject) {
  if (subject.name !== null) return visible(subject.name)
  if (subject.kind === 'other') return 'Clients beyond the limit'
  if (subject.kind === 'unverified') return 'Not verified'
  return getId(subject)
}

/** @param {NamedSubject} subject @returns {string} the client id */
export function getId({ clientId }) {
  return visible(clientId ?? '')
}

/**
 * Isolates the direction of the name from the surrounding text. The title has the id of a named client.
 *
 * @param {NamedSubject} subject
 */
export function nameElement(subject) {
  const name = getName(subject)
  const created = element('bdi', { class: 'name' }, clip(name))
  if (subject.name !== null) created.title = `${name}, ${getId(subject)}`
  else if (created.textContent !== name) created.title = name
  if (subject.kind !== 'client') created.classList.add('together')
  return created
}

/**
 * @param {string} text an id, or a name of people
 * @param {string} className
 */
export function textElement(text, className) {
  const shown = visible(text)
  return element('bdi', { class: className, title: shown }, clip(shown))
}
