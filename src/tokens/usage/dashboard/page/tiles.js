/** The tiles of the summary. */
import { byId } from './dom.js'
import { money, monthName, number, plural, share } from './format.js'

/** @import { SummaryView } from '../view.ts' */

/** @param {SummaryView} summary */
export function showTiles(summary) {
  const { currency, month, lastMonth, forecast } = summary
  const amount = money(currency)
  const current = monthName(month.start)
  setTile('month', `${current} so far`, amount(month.cost), issued(month.issued))
  setTile('forecast', `Forecast for ${current}`, amount(forecast.cost), describeForecast(summary))
  byId('forecast-tile').classList.toggle('warning', isOverBudget(summary))
  const before = monthName(lastMonth.start)
  setTile('last-month', `${before}, last month`, amount(lastMonth.cost), describeLastMonth(summary))
  const tokens = month.issued + month.cached
  const cachedShare = tokens === 0 ? 0 : month.cached / tokens
  const fromCache = `${share(cachedShare)} of ${plural(tokens, 'token')} came from the cache`
  setTile('saved', `Saved by caching in ${current}`, amount(month.saved), fromCache)
  byId('share-meter').setAttribute('value', String(cachedShare))
  showFindings(summary)
}

/** @param {SummaryView} summary */
function showFindings({ anomalies, clients }) {
  const days = plural(new Set(anomalies.map(({ start }) => start)).size, 'day')
  const note = anomalies.length === 0 ? 'in the last 30 days' : `on ${days} of the last 30`
  setTile('anomalies', 'Anomalies', number(anomalies.length), note)
  byId('anomalies-tile').classList.toggle('warning', anomalies.length > 0)
  byId('show-anomalies').hidden = anomalies.length === 0
  const clientCount = clients.filter(({ kind }) => kind === 'client').length
  const unused = clients.filter((client) => client.unused).length
  setTile('unused', 'Unused for 90 days', number(unused), `of ${plural(clientCount, 'client')}`)
  byId('unused-tile').classList.toggle('warning', unused > 0)
  byId('show-unused').hidden = unused === 0
}

/** @param {SummaryView} summary */
const isOverBudget = ({ budget, forecast }) => budget !== null && forecast.cost > budget

/** @param {SummaryView} summary */
function describeForecast({ currency, budget, forecast }) {
  if (budget === null) return 'at the rate of the last 7 days'
  const amount = money(currency)
  return `${share(forecast.cost / budget)} of the budget of ${amount(budget)}, at the rate of the last 7 days`
}

/** @param {SummaryView} summary */
function describeLastMonth({ since, month, lastMonth }) {
  if (since === null || since >= month.start) return 'nothing was counted'
  const isWhole = since <= lastMonth.start
  return `${issued(lastMonth.issued)}${isWhole ? '' : '; counting began in that month'}`
}

/** @param {number} tokens */
const issued = (tokens) => `${plural(Math.round(tokens), 'token')} issued`

/** @param {string} id @param {string} title @param {string} figure @param {string} note */
function setTile(id, title, figure, note) {
  byId(`${id}-title`).textContent = title
  byId(id).textContent = figure
  byId(`${id}-note`).textContent = note
}
