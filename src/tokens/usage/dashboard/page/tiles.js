/** The four figures at the top. */
import { byId } from './dom.js'
import { duration, money, number, plural, share } from './format.js'

/** @import { SummaryView } from '../view.ts' */

/** @param {SummaryView} summary */
export function showTiles({ cost, clients }) {
  const { monthly, observed, cachedShare } = cost
  const amount = money(cost.currency)
  const tokens = monthly.issued + monthly.cached
  const pace = `${plural(Math.round(monthly.issued), 'token')} issued, projected from ${duration(observed)}`
  tell('cost', amount(monthly.cost), pace)
  tell('saved', amount(monthly.saved), `${amount(monthly.withoutCache)} if nothing were cached`)
  tell(
    'share',
    tokens === 0 ? '–' : share(cachedShare),
    `of ${plural(Math.round(tokens), 'token')} a month`,
  )
  byId('share-meter').setAttribute('value', String(cachedShare))
  const known = clients.filter(({ kind }) => kind === 'client').length
  const unused = clients.filter((it) => it.unused).length
  tell('unused', number(unused), `of ${plural(known, 'client')}`)
  byId('unused-tile').classList.toggle('warning', unused > 0)
  byId('show-unused').hidden = unused === 0
}

/** @param {string} id @param {string} figure @param {string} note */
function tell(id, figure, note) {
  byId(id).textContent = figure
  byId(`${id}-note`).textContent = note
}
