/** Lists of anomalies, and of clients that ignore caching. */
import { button, byId, element, keepFocus } from './dom.js'
import { dayName, money, number, plural, times } from './format.js'
import { nameElement } from './names.js'

/** @import { AnomalyView, NamedSubject, SavingView, SummaryView } from '../view.ts' */

/** @type {(subject: NamedSubject) => void} */
let selectClient = () => {}

/**
 * @param {NamedSubject} subject
 * @param {string} figure
 * @param {string} text
 */
function createItem(subject, figure, text) {
  return element(
    'li',
    {},
    element('b', { class: 'badge' }, figure),
    element(
      'div',
      {},
      button('name-button', () => selectClient(subject), nameElement(subject)),
      element('p', { class: 'quiet' }, text),
    ),
  )
}

/** @param {AnomalyView} anomaly */
function explainAnomaly({ start, value, median, factor }) {
  const usual = plural(Math.round(median), 'token')
  return `${dayName(start)}: ${plural(value, 'token')} issued, ${times(factor)} against its median of ${usual} a day`
}

/** @param {SavingView} saving */
function explainSaving({ issued, needed }) {
  return `${plural(issued, 'token')} issued in 30 days. One an hour, ${number(needed)}, is enough with a cache.`
}

/** @param {string} id @param {readonly HTMLElement[]} items @param {string} none */
function fill(id, items, none) {
  const list = byId(id)
  const empty = element('li', { class: 'quiet' }, none)
  keepFocus(list, () => list.replaceChildren(...(items.length === 0 ? [empty] : items)))
}

/** @param {SummaryView} summary */
export function showFindings({ anomalies, savings, currency }) {
  const amount = money(currency)
  fill(
    'anomaly-list',
    anomalies.map((it) => createItem(it, times(it.factor), explainAnomaly(it))),
    'None in the last 30 days.',
  )
  fill(
    'saving-list',
    savings.map((it) => createItem(it, amount(it.saving), explainSaving(it))),
    'None in the last 30 days.',
  )
}

/** @param {(subject: NamedSubject) => void} onSelect Called when a client is selected. */
export function initFindings(onSelect) {
  selectClient = onSelect
}
