/** Totals per user pool and Region. */
import { byId, element, setTableRoles } from './dom.js'
import { money, monthName, number } from './format.js'
import { textElement } from './names.js'

/** @import { GroupView, SummaryView } from '../view.ts' */

/**
 * @param {string} id of the table
 * @param {string} head of the first column
 * @param {readonly GroupView[]} groups
 * @param {SummaryView} summary
 */
function fillTable(id, head, groups, { currency, month, lastMonth }) {
  const amount = money(currency)
  const current = monthName(month.start)
  /** @type {readonly (readonly [label: string, show: (group: GroupView) => string])[]} */
  const columns = [
    ['Issued', ({ issued }) => number(issued)],
    ['From cache', ({ cached }) => number(cached)],
    [current, ({ monthCost }) => amount(monthCost)],
    ['Forecast', ({ forecastCost }) => amount(forecastCost)],
    [monthName(lastMonth.start), ({ lastMonthCost }) => amount(lastMonthCost)],
  ]
  const rows = groups.map((group) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        group.group === null ? 'Without a user pool' : textElement(group.group, 'name'),
      ),
      ...columns.map(([label, show]) =>
        element('td', { class: 'number', 'data-label': label }, show(group)),
      ),
    ),
  )
  const heads = columns.map(([label]) => element('th', { scope: 'col', class: 'number' }, label))
  const first = element('th', { scope: 'col' }, head)
  byId(id).replaceChildren(
    element('caption', {}, `${head}: tokens and cost of ${current} so far`),
    element('thead', {}, element('tr', {}, first, ...heads)),
    element('tbody', {}, ...rows),
  )
  setTableRoles(byId(id))
}

/** @param {SummaryView} summary */
export function showGroups(summary) {
  fillTable('pool-table', 'User pool', summary.pools, summary)
  fillTable('region-table', 'Region', summary.regions, summary)
}
