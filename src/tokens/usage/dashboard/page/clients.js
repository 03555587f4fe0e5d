/** The table of clients: search, filter, sorting, and selection for the chart. */
import { button, byId, element, keepFocus, onChoice, setChoice, setTableRoles } from './dom.js'
import { duration, money, number, plural, share, timeElement, times } from './format.js'
import { getId, getName, nameElement, textElement, visible } from './names.js'
import { state, updateState } from './state.js'

/** @import { ClientView, SummaryView } from '../view.ts' */

/**
 * @typedef {object} Column
 * @property {string} id in the address
 * @property {string} label
 * @property {(client: ClientView) => number | string | null} by sort key; null is last
 * @property {(client: ClientView) => (Node | string)[]} show
 */

/** Rows before `Show all`: layout of thousands of rows is slow. */
const MAX_INITIAL_ROWS = 100

/** @type {SummaryView | undefined} */
let summary
let showsAll = false
/** @type {(client: ClientView) => void} */
let selectClient = () => {}

/** @returns {SummaryView} */
const getSummary = () => /** @type {SummaryView} */ (summary)

/** @param {ClientView} client */
const countTokens = ({ tokens }) => tokens.issued + tokens.cached

/** @param {ClientView} client */
const getCachedShare = (client) =>
  countTokens(client) === 0 ? null : client.tokens.cached / countTokens(client)

/** @param {ClientView} client */
function nameCell(client) {
  const name = button('name-button', () => selectClient(client), nameElement(client))
  return [name, ...describeClient(client), ...badges(client)]
}

/** @param {ClientView} client */
function describeClient({ kind, userPoolId, name, clientId, team, tags }) {
  if (userPoolId === null) {
    const note = kind === 'unverified' ? 'not authenticated' : 'counted together'
    return [element('span', { class: 'quiet' }, note)]
  }
  const facts = [team, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)]
  return [
    ...(name === null ? [] : [textElement(String(clientId), 'quiet')]),
    textElement(userPoolId, 'quiet'),
    ...facts.flatMap((fact) => (fact === null ? [] : [textElement(fact, 'tag')])),
  ]
}

/** @param {ClientView} client */
function badges({ kind, userPoolId, clientId, unused, lastUsed }) {
  const { at, anomalies } = getSummary()
  const latest = anomalies.find(
    (it) => it.kind === kind && it.userPoolId === userPoolId && it.clientId === clientId,
  )
  const texts = [
    ...(unused ? [`unused for ${lastUsed === null ? '90 days' : duration(at - lastUsed)}`] : []),
    ...(latest === undefined ? [] : [`${times(latest.factor)} against its median`]),
  ]
  return texts.map((text) => element('span', { class: 'badge' }, text))
}

/** @param {string} id @param {string} label @param {(client: ClientView) => number} by @returns {Column} */
const createCountColumn = (id, label, by) => ({ id, label, by, show: (it) => [number(by(it))] })

/** @param {string} id @param {string} label @param {(client: ClientView) => number} by @returns {Column} */
const createCostColumn = (id, label, by) => ({
  id,
  label,
  by,
  show: (client) => [by(client) === 0 ? '–' : money(getSummary().currency)(by(client))],
})

/** @type {readonly Column[]} */
const columns = [
  { id: 'client', label: 'Client', by: getName, show: nameCell },
  createCostColumn('month', 'This month', ({ monthCost }) => monthCost),
  createCostColumn('forecast', 'Forecast', ({ forecastCost }) => forecastCost),
  {
    id: 'used',
    label: 'Last used',
    by: ({ lastUsed }) => lastUsed,
    show: ({ lastUsed }) => [lastUsed === null ? '–' : timeElement(lastUsed)],
  },
  createCountColumn('issued', 'Issued', ({ tokens }) => tokens.issued),
  createCountColumn('cached', 'From cache', ({ tokens }) => tokens.cached),
  {
    id: 'share',
    label: 'Cached',
    by: getCachedShare,
    show: (client) => {
      const cachedShare = getCachedShare(client)
      return [cachedShare === null ? '–' : share(cachedShare)]
    },
  },
  createCountColumn('failed', 'Tokens refused', ({ tokens }) => tokens.refused),
  createCountColumn('accepted', 'API accepted', ({ requests }) => requests.accepted),
  {
    id: 'refused',
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

function getSort() {
  const id = state.sort.replace('-', '')
  const column = columns.find((it) => it.id === id)
  return { column: column ?? /** @type {Column} */ (columns[1]), descending: id !== state.sort }
}

/** @param {ClientView} a @param {ClientView} b */
function compare(a, b) {
  const { column, descending } = getSort()
  const [left, right] = [column.by(a), column.by(b)]
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  const order = typeof left === 'string' ? left.localeCompare(String(right)) : left - Number(right)
  return descending ? -order : order
}

function getMatchingClients() {
  const wanted = state.find.toLowerCase()
  return getSummary()
    .clients.filter(
      (client) =>
        (state.which === 'all' || client.unused) && getSearchText(client).includes(wanted),
    )
    .sort((a, b) => compare(a, b) || countTokens(b) - countTokens(a))
}

/** @param {ClientView} client */
function getSearchText(client) {
  const { userPoolId, team, tags } = client
  const facts = [userPoolId, team, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)]
  const shown = facts.map((fact) => visible(fact ?? ''))
  return [getName(client), getId(client), ...shown].join(' ').toLowerCase()
}

function show() {
  const found = getMatchingClients()
  const rows = showsAll ? found : found.slice(0, MAX_INITIAL_ROWS)
  const body = /** @type {HTMLElement} */ (byId('client-table').querySelector('tbody'))
  keepFocus(body, () => body.replaceChildren(...rows.map(createRow)))
  setTableRoles(byId('client-table'))
  byId('shown').textContent =
    rows.length === found.length
      ? plural(found.length, 'row')
      : `${number(rows.length)} of ${plural(found.length, 'row')}`
  const more = byId('more')
  more.hidden = rows.length === found.length
  more.textContent = `Show all ${number(found.length)}`
}

/** Small screens show a row as a card, where each cell has the label of its column. @param {ClientView} client */
function createRow(client) {
  const cells = columns.map(({ label, show: shown }, index) =>
    index === 0
      ? element('th', { scope: 'row' }, ...shown(client))
      : element(
          'td',
          { class: 'number', 'data-label': label },
          element('div', {}, ...shown(client)),
        ),
  )
  return element('tr', { class: client.unused ? 'unused' : '' }, ...cells)
}

function showHead() {
  const { column: sorted, descending } = getSort()
  const cells = columns.map(({ id, label }, index) => {
    const isSorted = id === sorted.id
    const order = descending ? 'descending' : 'ascending'
    const arrow = isSorted ? (descending ? '▼' : '▲') : ''
    const head = element('th', {
      scope: 'col',
      'aria-sort': isSorted ? order : 'none',
    })
    if (index > 0) head.classList.add('number')
    head.append(
      button('sort', () => sortBy(id), label, element('span', { 'aria-hidden': 'true' }, arrow)),
    )
    return head
  })
  const head = /** @type {HTMLElement} */ (byId('client-table').querySelector('thead'))
  // The pressed button is replaced.
  keepFocus(head, () => head.replaceChildren(element('tr', {}, ...cells)))
}

/** @param {string} id */
function sortBy(id) {
  const { column, descending } = getSort()
  const isDescending = column.id === id ? !descending : id !== 'client'
  updateState({ sort: isDescending ? `-${id}` : id })
  showHead()
  show()
}

/** @param {SummaryView} latest */
export function showClients(latest) {
  summary = latest
  showHead()
  show()
}

/** Filters to unused clients and scrolls to the table. */
export function showUnused() {
  updateState({ which: 'unused' })
  setChoice('which', 'unused')
  show()
  const choice = document.querySelector('input[name="which"]:checked')
  if (choice instanceof HTMLElement) choice.focus()
  byId('clients').scrollIntoView()
}

/** Paper has no `Show all`. @param {boolean} isPrinting */
export function showForPrint(isPrinting) {
  if (summary === undefined) return
  const before = showsAll
  showsAll = before || isPrinting
  show()
  showsAll = before
}

/** @param {(client: ClientView) => void} onSelect Called when a client is selected. */
export function initClients(onSelect) {
  selectClient = onSelect
  const search = /** @type {HTMLInputElement} */ (byId('search'))
  search.addEventListener('input', () => {
    updateState({ find: search.value })
    show()
  })
  onChoice('which', (which) => {
    updateState({ which: which === 'unused' ? 'unused' : 'all' })
    show()
  })
  byId('more').addEventListener('click', () => {
    showsAll = true
    show()
  })
}
