/** The page: loads summary and chart, and handles the controls. */
import { showChart } from './chart.js'
import { initClients, showClients, showUnused } from './clients.js'
import { readChart, readSummary } from './data.js'
import { byId, element, onChoice } from './dom.js'
import { timeElement } from './format.js'
import { nameElement } from './names.js'
import { showTiles } from './tiles.js'

/** @import { ChartQuery } from './data.js' */
/** @import { SummaryView } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

const RANGE_NAMES = {
  '24h': 'last 24 hours',
  '7d': 'last 7 days',
  '30d': 'last 30 days',
  '90d': 'last 90 days',
}

/** @type {ChartQuery} */
let query = { range: '30d', count: 'issued', subject: null }

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
function showAbout({ at, since }) {
  const parts = since === null ? [] : ['Counting since ', timeElement(since), ' · ']
  byId('about').replaceChildren(...parts, 'Updated ', timeElement(at, 'clock'))
}

async function loadSummary() {
  const summary = await readSummary()
  showAbout(summary)
  showTiles(summary)
  showClients(summary)
  const isEmpty = summary.since === null
  byId('nothing').hidden = !isEmpty
  byId('over-time').hidden = isEmpty
  byId('clients').hidden = isEmpty
  if (summary.status.degraded) {
    setNotice('The usage store failed. The latest counts are kept in memory until it recovers.')
  }
}

/** Drops a response if the query has changed since the request. */
async function loadChart() {
  const current = query
  const view = await readChart(current)
  if (current === query) showChart(view, RANGE_NAMES[current.range])
}

async function refresh() {
  setNotice()
  byId('main').setAttribute('aria-busy', 'true')
  await Promise.all([showErrors(loadSummary), showErrors(loadChart)])
  byId('main').setAttribute('aria-busy', 'false')
}

/** @param {Partial<ChartQuery>} change */
function updateQuery(change) {
  query = { ...query, ...change }
  void showErrors(loadChart)
}

/** @param {UsageSubject | null} subject */
function selectClient(subject) {
  const title = byId('chart-title')
  if (subject === null) title.replaceChildren('Tokens per client over time')
  else title.replaceChildren('Tokens over time: ', nameElement(subject))
  byId('all-clients').hidden = subject === null
  title.focus()
  title.scrollIntoView({ block: 'nearest' })
  updateQuery({
    subject: subject && {
      kind: subject.kind,
      userPoolId: subject.userPoolId,
      clientId: subject.clientId,
    },
  })
}

initClients(selectClient)
onChoice('range', (range) => updateQuery({ range: /** @type {ChartQuery['range']} */ (range) }))
onChoice('count', (count) => updateQuery({ count: /** @type {ChartQuery['count']} */ (count) }))
byId('all-clients').addEventListener('click', () => selectClient(null))
byId('show-unused').addEventListener('click', showUnused)
byId('refresh').addEventListener('click', () => void refresh())
for (const form of document.forms)
  form.addEventListener('submit', (event) => event.preventDefault())
void refresh()
