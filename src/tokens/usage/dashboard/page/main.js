/** The page: what is asked for, and when. */
import { showChart } from './chart.js'
import { listenToClients, showClients, showUnused } from './clients.js'
import { readChart, readSummary } from './data.js'
import { byId, element, onChoice } from './dom.js'
import { timeElement } from './format.js'
import { nameElement } from './names.js'
import { showTiles } from './tiles.js'

/** @import { Asked } from './data.js' */
/** @import { SummaryView } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

const RANGE_NAMES = {
  '24h': 'last 24 hours',
  '7d': 'last 7 days',
  '30d': 'last 30 days',
  '90d': 'last 90 days',
}

/** @type {Asked} */
let asked = { range: '30d', count: 'issued', subject: null }

/** @param {...(Node | string)} words */
function notice(...words) {
  byId('notice').replaceChildren(...words)
}

/** @param {() => Promise<void>} act */
async function trying(act) {
  try {
    await act()
  } catch (error) {
    const again = element('button', { type: 'button' }, 'Try again')
    again.addEventListener('click', () => void refresh())
    notice(/** @type {Error} */ (error).message, ' ', again)
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
    notice('The store cannot be reached: the latest counts are kept in memory until it can.')
  }
}

/** An answer that was overtaken by another question is not drawn. */
async function loadChart() {
  const question = asked
  const view = await readChart(question)
  if (question === asked) showChart(view, RANGE_NAMES[question.range])
}

async function refresh() {
  notice()
  byId('main').setAttribute('aria-busy', 'true')
  await Promise.all([trying(loadSummary), trying(loadChart)])
  byId('main').setAttribute('aria-busy', 'false')
}

/** @param {Partial<Asked>} change */
function ask(change) {
  asked = { ...asked, ...change }
  void trying(loadChart)
}

/** @param {UsageSubject | null} subject */
function pick(subject) {
  const title = byId('chart-title')
  if (subject === null) title.replaceChildren('Tokens per client over time')
  else title.replaceChildren('Tokens over time: ', nameElement(subject))
  byId('all-clients').hidden = subject === null
  title.focus()
  title.scrollIntoView({ block: 'nearest' })
  ask({
    subject: subject && {
      kind: subject.kind,
      userPoolId: subject.userPoolId,
      clientId: subject.clientId,
    },
  })
}

listenToClients(pick)
onChoice('range', (range) => ask({ range: /** @type {Asked['range']} */ (range) }))
onChoice('count', (count) => ask({ count: /** @type {Asked['count']} */ (count) }))
byId('all-clients').addEventListener('click', () => pick(null))
byId('show-unused').addEventListener('click', showUnused)
byId('refresh').addEventListener('click', () => void refresh())
for (const form of document.forms)
  form.addEventListener('submit', (event) => event.preventDefault())
void refresh()
