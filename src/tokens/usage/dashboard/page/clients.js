/** The table of clients: search, filter, sorting, and selection for the chart. */
import { button, byId, element, onChoice } from './dom.js'
import { duration, money, number, plural, share, timeElement } from './format.js'
import { getName, nameElement, poolElement, visible } from './names.js'

/** @import { ClientView, SummaryView } from '../view.ts' */

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(client: ClientView) => number | string | null} by sort key; null is last
 * @property {(client: ClientView) => (Node | string)[]} show
 */

/** Rows before `Show all`: layout of thousands of rows is slow. */
const MAX_INITIAL_ROWS = 100

/** @type {SummaryView | undefined} */
let summary
let sort = { column: 'Monthly cost', descending: true }
let searchText = ''
let onlyUnused = false
let showsAll = false
/** @type {(client: ClientView) => void} */
let selectClient = () => {}

/** @param {ClientView} client */
const countTokens = ({ tokens }) => tokens.issued + tokens.cached

/** @param {ClientView} client */
function nameCell(client) {
  const { userPoolId, kind } = client
  const name = button('name-button', () => selectClient(client), nameElement(client))
  const note =
    userPoolId === null
      ? kind === 'unverified'
        ? 'not authenticated'
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
const createCountColumn = (label, by) => ({ label, by, show: (client) => [number(by(client))] })

/** @type {readonly Column[]} */
const columns = [
  { label: 'Client', by: getName, show: nameCell },
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
  createCountColumn('Issued', ({ tokens }) => tokens.issued),
  createCountColumn('From cache', ({ tokens }) => tokens.cached),
  {
    label: 'Cached',
    by: (client) => (countTokens(client) === 0 ? null : client.tokens.cached / countTokens(client)),
    show: (client) => [
      countTokens(client) === 0 ? '–' : share(client.tokens.cached / countTokens(client)),
    ],
  },
  createCountColumn('Tokens refused', ({ tokens }) => tokens.refused),
  createCountColumn('API accepted', ({ requests }) => requests.accepted),
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

function getMatchingClients() {
  const wanted = searchText.toLowerCase()
  const column = /** @type {Column} */ (columns.find(({ label }) => label === sort.column))
  return /** @type {SummaryView} */ (summary).clients
    .filter((client) => (!onlyUnused || client.unused) && getSearchText(client).includes(wanted))
    .sort((a, b) => compare(column, a, b) || countTokens(b) - countTokens(a))
}

/** @param {ClientView} client */
function getSearchText(client) {
  return `${getName(client)} ${visible(client.userPoolId ?? '')}`.toLowerCase()
}

function show() {
  const found = getMatchingClients()
  const rows = showsAll ? found : found.slice(0, MAX_INITIAL_ROWS)
  const body = /** @type {HTMLElement} */ (byId('client-table').querySelector('tbody'))
  body.replaceChildren(...rows.map(createRow))
  byId('shown').textContent =
    rows.length === found.length
      ? plural(found.length, 'row')
      : `${number(rows.length)} of ${plural(found.length, 'row')}`
  const more = byId('more')
  more.hidden = rows.length === found.length
  more.textContent = `Show all ${number(found.length)}`
}

/** @param {ClientView} client */
function createRow(client) {
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
  // The pressed button was replaced: keyboard users continue at the same position.
  const index = columns.findIndex((column) => column.label === label)
  byId('client-table').querySelectorAll('button')[index]?.focus()
}

/** @param {SummaryView} latest */
export function showClients(latest) {
  // Without rows, the header would move when the first rows arrive.
  if (summary === undefined) showHead()
  summary = latest
  show()
}

/** Filters to unused clients and scrolls to the table. */
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

/** @param {(client: ClientView) => void} onSelect Called when a client is selected. */
export function initClients(onSelect) {
  selectClient = onSelect
  const search = /** @type {HTMLInputElement} */ (byId('search'))
  search.addEventListener('input', () => {
    searchText = search.value
    show()
  })
  onChoice('which', (value) => {
    onlyUnused = value === 'unused'
    show()
  })
  byId('more').addEventListener('click', () => {
    showsAll = true
    show()
  })
}
