/** The table of clients: found, filtered, sorted by any column, picked for the chart. */
import { button, byId, element, onChoice } from './dom.js'
import { duration, money, number, plural, share, timeElement } from './format.js'
import { nameElement, nameOf, poolElement, visible } from './names.js'

/** @import { ClientView, SummaryView } from '../view.ts' */

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(client: ClientView) => number | string | null} by what it is sorted by; null goes last
 * @property {(client: ClientView) => (Node | string)[]} show
 */

/** Rows that are laid out at first: a table of thousands is searched, not scrolled. */
const FIRST = 100

/** @type {SummaryView | undefined} */
let summary
let sort = { column: 'Monthly cost', descending: true }
let find = ''
let onlyUnused = false
let all = false
/** @type {(client: ClientView) => void} */
let pick = () => {}

/** @param {ClientView} client */
const had = ({ tokens }) => tokens.issued + tokens.cached

/** @param {ClientView} client */
function nameCell(client) {
  const { userPoolId, kind } = client
  const name = button('name-button', () => pick(client), nameElement(client))
  const note =
    userPoolId === null
      ? kind === 'unverified'
        ? 'no proven client'
        : 'counted together'
      : poolElement(userPoolId)
  const cell = [name, element('span', { class: 'quiet' }, note)]
  return client.unused ? [...cell, badge(client)] : cell
}

/** @param {ClientView} client */
function badge({ lastUsed }) {
  const { at } = /** @type {SummaryView} */ (summary)
  const age = lastUsed === null ? '90 days' : duration(at - lastUsed)
  return element('span', { class: 'badge' }, `unused for ${age}`)
}

/** @param {string} label @param {(client: ClientView) => number} by @returns {Column} */
const counted = (label, by) => ({ label, by, show: (client) => [number(by(client))] })

/** @type {readonly Column[]} */
const columns = [
  { label: 'Client', by: nameOf, show: nameCell },
  {
    label: 'Monthly cost',
    by: ({ monthlyCost }) => monthlyCost,
    show: ({ monthlyCost }) => [
      monthlyCost === null
        ? '–'
        : money(/** @type {SummaryView} */ (summary).cost.currency)(monthlyCost),
    ],
  },
  {
    label: 'Last used',
    by: ({ lastUsed }) => lastUsed,
    show: ({ lastUsed }) => [lastUsed === null ? '–' : timeElement(lastUsed)],
  },
  counted('Issued', ({ tokens }) => tokens.issued),
  counted('From cache', ({ tokens }) => tokens.cached),
  {
    label: 'Cached',
    by: (client) => (had(client) === 0 ? null : client.tokens.cached / had(client)),
    show: (client) => [had(client) === 0 ? '–' : share(client.tokens.cached / had(client))],
  },
  counted('Tokens refused', ({ tokens }) => tokens.refused),
  counted('API accepted', ({ requests }) => requests.accepted),
  {
    label: 'API refused',
    by: ({ requests }) => requests.refused,
    show: ({ requests }) => [number(requests.refused), ...codes(requests.byCode)],
  },
]

/** @param {Readonly<Record<string, number>>} byCode */
function codes(byCode) {
  return Object.entries(byCode)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) =>
      element('span', { class: 'code' }, `${code.replace(/^ERR_/, '')} ${number(count)}`),
    )
}

/** @param {Column} column @param {ClientView} a @param {ClientView} b */
function compare({ by }, a, b) {
  const [left, right] = [by(a), by(b)]
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  const order = typeof left === 'string' ? left.localeCompare(String(right)) : left - Number(right)
  return sort.descending ? -order : order
}

function matching() {
  const wanted = find.toLowerCase()
  const column = /** @type {Column} */ (columns.find(({ label }) => label === sort.column))
  return /** @type {SummaryView} */ (summary).clients
    .filter((it) => (!onlyUnused || it.unused) && textOf(it).includes(wanted))
    .sort((a, b) => compare(column, a, b) || had(b) - had(a))
}

/** @param {ClientView} client */
function textOf(client) {
  return `${nameOf(client)} ${visible(client.userPoolId ?? '')}`.toLowerCase()
}

function show() {
  const found = matching()
  const rows = all ? found : found.slice(0, FIRST)
  const body = /** @type {HTMLElement} */ (byId('client-table').querySelector('tbody'))
  body.replaceChildren(...rows.map(rowOf))
  byId('shown').textContent =
    rows.length === found.length
      ? plural(found.length, 'row')
      : `${number(rows.length)} of ${plural(found.length, 'row')}`
  const more = byId('more')
  more.hidden = rows.length === found.length
  more.textContent = `Show all ${number(found.length)}`
}

/** @param {ClientView} client */
function rowOf(client) {
  const cells = columns.map(({ show: shown }, index) =>
    index === 0
      ? element('th', { scope: 'row' }, ...shown(client))
      : element('td', { class: 'number' }, ...shown(client)),
  )
  return element('tr', client.unused ? { class: 'unused' } : {}, ...cells)
}

function showHead() {
  const cells = columns.map(({ label }, index) => {
    const sorted = label === sort.column
    const order = sort.descending ? 'descending' : 'ascending'
    const arrow = sorted ? (sort.descending ? '▼' : '▲') : ''
    const head = element('th', { scope: 'col', 'aria-sort': sorted ? order : 'none' })
    if (index > 0) head.classList.add('number')
    head.append(
      button('sort', () => sortBy(label), label, element('span', { 'aria-hidden': 'true' }, arrow)),
    )
    return head
  })
  const head = /** @type {HTMLElement} */ (byId('client-table').querySelector('thead'))
  head.replaceChildren(element('tr', {}, ...cells))
}

/** @param {string} label */
function sortBy(label) {
  sort = {
    column: label,
    descending: sort.column === label ? !sort.descending : label !== 'Client',
  }
  showHead()
  show()
  // The button that was pressed is gone: whoever uses the keyboard goes on from the same place.
  const index = columns.findIndex((it) => it.label === label)
  byId('client-table').querySelectorAll('button')[index]?.focus()
}

/** @param {SummaryView} latest */
export function showClients(latest) {
  // Heads without rows would move as soon as there are some.
  if (summary === undefined) showHead()
  summary = latest
  show()
}

/** Filters to what is to be asked about, and goes there. */
export function showUnused() {
  const choice = /** @type {HTMLInputElement} */ (
    document.querySelector('input[name="which"][value="unused"]')
  )
  choice.checked = true
  onlyUnused = true
  show()
  choice.focus()
  byId('clients').scrollIntoView()
}

/** @param {(client: ClientView) => void} act when a client is picked */
export function listenToClients(act) {
  pick = act
  const search = /** @type {HTMLInputElement} */ (byId('search'))
  search.addEventListener('input', () => {
    find = search.value
    show()
  })
  onChoice('which', (value) => {
    onlyUnused = value === 'unused'
    show()
  })
  byId('more').addEventListener('click', () => {
    all = true
    show()
  })
}
