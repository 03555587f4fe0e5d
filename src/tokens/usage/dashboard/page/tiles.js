/** The four tiles of the summary. */
import { byId } from './dom.js'
import { duration, money, number, plural, share } from './format.js'

/** @import { SummaryView } from '../view.ts' */

/** @param {SummaryView} summary */
export function showTiles({ cost, clients }) {
  const { monthly, observed, cachedShare } = cost
  const amount = money(cost.currency)
  const tokens = monthly.issued + monthly.cached
  const pace = `${plural(Math.round(monthly.issued), 'token')} issued, projected from ${duration(observed)}`
  setTile('cost', amount(monthly.cost), pace)
  setTile('saved', amount(monthly.saved), `${amount(monthly.withoutCache)} if nothing were cached`)
  setTile(
    'share',
    tokens === 0 ? '–' : share(cachedShare),
    `of ${plural(Math.round(tokens), 'token')} a month`,
  )
  byId('share-meter').setAttribute('value', String(cachedShare))
  const clientCount = clients.filter(({ kind }) => kind === 'client').length
  const unused = clients.filter((client) => client.unused).length
  setTile('unused', number(unused), `of ${plural(clientCount, 'client')}`)
  byId('unused-tile').classList.toggle('warning', unused > 0)
  byId('show-unused').hidden = unused === 0
}

/** @param {string} id @param {string} figure @param {string} note */
function setTile(id, figure, note) {
  byId(id).textContent = figure
  byId(`${id}-note`).textContent = note
}
