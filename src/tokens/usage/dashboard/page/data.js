/** Fetches the data of the page from the plugin. */

/** @import { ChartView, SummaryView, TokenCount, Range } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

/** The controls of the chart. @typedef {{ range: Range, count: TokenCount, subject: UsageSubject | null }} ChartQuery */

/** @param {string} address @returns {Promise<unknown>} */
async function read(address) {
  /** @type {Response} */
  let response
  try {
    response = await fetch(address, { headers: { accept: 'application/json' } })
  } catch {
    throw new Error('The server cannot be reached.')
  }
  if (response.status === 401 || response.status === 403) {
    throw new Error('Access was denied. Reload the page to sign in again.')
  }
  if (!response.ok) throw new Error('The counts cannot be read now.')
  return response.json()
}

/** @returns {Promise<SummaryView>} */
export async function readSummary() {
  return /** @type {SummaryView} */ (await read('data.json'))
}

/** @param {ChartQuery} query @returns {Promise<ChartView>} */
export async function readChart({ range, count, subject }) {
  const parameters = new URLSearchParams({ range, count })
  if (subject !== null) parameters.set('kind', subject.kind)
  if (subject?.kind === 'client') {
    parameters.set('pool', subject.userPoolId ?? '')
    parameters.set('client', subject.clientId ?? '')
  }
  return /** @type {ChartView} */ (await read(`chart.json?${parameters}`))
}
