/** The page: loads summary and chart, and handles the controls. */
import { redrawBars } from './bars.js'
import { showChart } from './chart.js'
import { initClients, showClients, showForPrint, showUnused } from './clients.js'
import { assignColors } from './colors.js'
import { showCosts } from './costs.js'
import { readChart, readSummary } from './data.js'
import { byId, element, onChoice, setChoice } from './dom.js'
import { initFindings, showFindings } from './findings.js'
import { plural, timeElement } from './format.js'
import { showGroups } from './groups.js'
import { nameElement } from './names.js'
import { onLink, state, updateState } from './state.js'
import { showTiles } from './tiles.js'

/** @import { NamedSubject, SummaryView } from '../view.ts' */
/** @import { State } from './state.js' */

const RANGE_NAMES = {
  '24h': 'last 24 hours',
  '7d': 'last 7 days',
  '30d': 'last 30 days',
  '90d': 'last 90 days',
}
const REFRESH_MS = 60_000
/** Interval of the checks whether a refresh is due. */
const CHECK_MS = 5000

/** @type {SummaryView | undefined} */
let summary
let refreshedAt = 0

/** @param {...(Node | string)} content Replaces the notice. Empty clears it. */
function setNotice(...content) {
  byId('notice').replaceChildren(...content)
}

/** @param {() => Promise<void>} load Its error is shown as a notice with a button to retry. */
async function showErrors(load) {
  try {
    await load()
  } catch (error) {
    const retry = element('button', { type: 'button' }, 'Try again')
    retry.addEventListener('click', () => void refresh())
    setNotice(/** @type {Error} */ (error).message, ' ', retry)
  }
}

/** @param {SummaryView} summary */
function showAbout({ at, since, notes }) {
  const parts = since === null ? [] : ['Counting since ', timeElement(since), ' · ']
  byId('about').replaceChildren(...parts, 'Updated ', timeElement(at, 'clock'))
  byId('notes').replaceChildren(...notes.map((note) => element('li', {}, note)))
}

/** @param {SummaryView} summary */
function showFirstSteps({ since, status }) {
  const isEmpty = since === null
  for (const section of document.querySelectorAll('.counted')) {
    section.toggleAttribute('hidden', isEmpty)
  }
  byId('nothing').hidden = !isEmpty
  byId('sources').textContent =
    status.sources === 0
      ? 'No source is attached, so nothing is counted.'
      : `${plural(status.sources, 'source')} attached. Their first token or request appears here.`
}

async function loadSummary() {
  summary = await readSummary()
  assignColors(summary.clients)
  showAbout(summary)
  showFirstSteps(summary)
  showTiles(summary)
  showCosts(summary)
  showFindings(summary)
  showGroups(summary)
  showClients(summary)
  showTitle()
  if (summary.status.degraded) {
    setNotice('The usage store failed. The latest counts are kept in memory until it recovers.')
  }
}

/**
 * Drops a response if the view has changed since the request.
 *
 * @param {Promise<void>} [colors] waits for the summary, which has all clients
 */
async function loadChart(colors) {
  const current = state
  const [view] = await Promise.all([readChart(current), colors])
  const isCurrent = ['range', 'count', 'subject'].every(
    (name) =>
      current[/** @type {keyof State} */ (name)] === state[/** @type {keyof State} */ (name)],
  )
  if (isCurrent) showChart(view, RANGE_NAMES[current.range])
}

async function refresh() {
  refreshedAt = Date.now()
  setNotice()
  byId('main').setAttribute('aria-busy', 'true')
  const loaded = showErrors(loadSummary)
  await Promise.all([loaded, showErrors(() => loadChart(loaded))])
  byId('main').setAttribute('aria-busy', 'false')
}

/** Refreshes a visible page. A hidden one is refreshed when it is shown again. */
function refreshAutomatically() {
  const isDue = Date.now() - refreshedAt >= REFRESH_MS
  if (state.refresh === 'on' && !document.hidden && isDue) void refresh()
}

/** @param {Partial<State>} change */
function updateChart(change) {
  updateState(change)
  showTitle()
  void showErrors(loadChart)
}

function showTitle() {
  const { subject, count } = state
  const what = count === 'cost' ? 'Cost' : 'Tokens'
  const title = byId('chart-title')
  byId('all-clients').hidden = subject === null
  if (subject === null) return title.replaceChildren(`${what} per client over time`)
  const known = summary?.clients.find(
    (it) => it.clientId === subject.clientId && it.userPoolId === subject.userPoolId,
  )
  title.replaceChildren(
    `${what} over time: `,
    nameElement({ ...subject, name: known?.name ?? null }),
  )
}

/** @param {NamedSubject | null} selected */
function selectClient(selected) {
  const subject = selected && {
    kind: selected.kind,
    userPoolId: selected.userPoolId,
    clientId: selected.clientId,
  }
  updateChart({ subject })
  const title = byId('chart-title')
  title.focus()
  title.scrollIntoView({ block: 'nearest' })
}

/** Sets the controls as the address says. */
function showState() {
  for (const name of /** @type {const} */ (['range', 'count', 'which']))
    setChoice(name, state[name])
  const [search, automatic] = ['search', 'automatic'].map(
    (id) => /** @type {HTMLInputElement} */ (byId(id)),
  )
  if (search !== undefined) search.value = state.find
  if (automatic !== undefined) automatic.checked = state.refresh === 'on'
  showTitle()
}

let isPrinted = false
/** Tables that were opened for print. @type {HTMLDetailsElement[]} */
let opened = []

/** Paper shows everything, in the colors of light mode. @param {boolean} isPrinting */
function prepareForPrint(isPrinting) {
  if (isPrinting === isPrinted) return
  isPrinted = isPrinting
  if (isPrinting) opened = [...document.querySelectorAll('details')].filter((it) => !it.open)
  for (const details of opened) details.open = isPrinting
  document.documentElement.classList.toggle('printing', isPrinting)
  showForPrint(isPrinting)
  redrawBars()
}

function showAnomalies() {
  byId('findings').scrollIntoView()
  byId('anomaly-title').focus()
}

initClients(selectClient)
initFindings(selectClient)
onChoice('range', (range) => updateChart({ range: /** @type {State['range']} */ (range) }))
onChoice('count', (count) => updateChart({ count: /** @type {State['count']} */ (count) }))
byId('all-clients').addEventListener('click', () => selectClient(null))
byId('show-unused').addEventListener('click', showUnused)
byId('show-anomalies').addEventListener('click', showAnomalies)
byId('refresh').addEventListener('click', () => void refresh())
byId('automatic').addEventListener('change', ({ target }) =>
  updateState({ refresh: /** @type {HTMLInputElement} */ (target).checked ? 'on' : 'off' }),
)
for (const form of document.forms)
  form.addEventListener('submit', (event) => event.preventDefault())
addEventListener('beforeprint', () => prepareForPrint(true))
addEventListener('afterprint', () => prepareForPrint(false))
// Without these events: a browser that emulates the medium.
matchMedia('print').addEventListener('change', ({ matches }) => prepareForPrint(matches))
document.addEventListener('visibilitychange', refreshAutomatically)
setInterval(refreshAutomatically, CHECK_MS)
onLink(() => {
  showState()
  void refresh()
})
showState()
void refresh()
