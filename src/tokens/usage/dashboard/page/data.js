/** Fetches the data of the page from the plugin. */

/** @import { ChartView, SummaryView } from '../view.ts' */
/** @import { State } from './state.js' */

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

/** @param {State} state @returns {Promise<ChartView>} */
export async function readChart({ range, count, subject }) {
  const parameters = new URLSearchParams({ range, count })
  if (subject !== null) parameters.set('kind', subject.kind)
  if (subject?.kind === 'client') {
    parameters.set('pool', subject.userPoolId ?? '')
    parameters.set('client', subject.clientId ?? '')
  }
  return /** @type {ChartView} */ (await read(`chart.json?${parameters}`))
}
