/** Asks the plugin for what is shown. */

/** @import { ChartView, SummaryView, TokenCount, Range } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

/** What the chart is asked for. @typedef {{ range: Range, count: TokenCount, subject: UsageSubject | null }} Asked */

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
    throw new Error('You may not see this any more: reload the page to sign in again.')
  }
  if (!response.ok) throw new Error('The counts cannot be read now.')
  return response.json()
}

/** @returns {Promise<SummaryView>} */
export async function readSummary() {
  return /** @type {SummaryView} */ (await read('data.json'))
}

/** @param {Asked} asked @returns {Promise<ChartView>} */
export async function readChart({ range, count, subject }) {
  const query = new URLSearchParams({ range, count })
  if (subject !== null) query.set('kind', subject.kind)
  if (subject?.kind === 'client') {
    query.set('pool', subject.userPoolId ?? '')
    query.set('client', subject.clientId ?? '')
  }
  return /** @type {ChartView} */ (await read(`chart.json?${query}`))
}
