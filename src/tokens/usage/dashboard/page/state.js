/** The view of the page, which the fragment of the address preserves: a copied link opens the same view. */

/** @import { ChartCount, Range } from '../view.ts' */
/** @import { UsageSubject } from '../../types.ts' */

/**
 * @typedef {object} State
 * @property {Range} range of the chart
 * @property {ChartCount} count that the chart shows
 * @property {UsageSubject | null} subject that the chart is restricted to
 * @property {string} find text in the table of clients
 * @property {'all' | 'unused'} which clients the table shows
 * @property {string} sort id of a column; `-` precedes it for descending order
 * @property {'on' | 'off'} refresh
 */

/** @type {State} */
const DEFAULTS = {
  range: '30d',
  count: 'issued',
  subject: null,
  find: '',
  which: 'all',
  sort: '-month',
  refresh: 'on',
}

/** Values of a choice; others in an address are ignored. */
const CHOICES = {
  range: ['24h', '7d', '30d', '90d'],
  count: ['issued', 'cached', 'all', 'cost'],
  which: ['all', 'unused'],
  refresh: ['on', 'off'],
}

/** Longest text in an address. */
const MAX_LENGTH = 256

/** @param {string} fragment */
function parse(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''))
  /** @param {string} name */
  const text = (name) => parameters.get(name)?.slice(0, MAX_LENGTH)
  const chosen = Object.entries(CHOICES).flatMap(([name, values]) => {
    const value = text(name)
    return value !== undefined && values.includes(value) ? [[name, value]] : []
  })
  const sort = text('sort')
  return /** @type {State} */ ({
    ...DEFAULTS,
    ...Object.fromEntries(chosen),
    subject: parseSubject(parameters),
    find: text('find') ?? '',
    sort: sort !== undefined && /^-?[a-z]+$/.test(sort) ? sort : DEFAULTS.sort,
  })
}

/** @param {URLSearchParams} parameters @returns {UsageSubject | null} */
function parseSubject(parameters) {
  const [kind, pool, client] = ['kind', 'pool', 'client'].map((name) => parameters.get(name))
  if (kind === 'other' || kind === 'unverified') return { kind, userPoolId: null, clientId: null }
  if (!pool || !client || pool.length + client.length > 2 * MAX_LENGTH) return null
  return { kind: 'client', userPoolId: pool, clientId: client }
}

/** @param {State} state */
function format({ subject, ...choices }) {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(choices)) {
    if (value !== DEFAULTS[/** @type {keyof typeof choices} */ (name)]) parameters.set(name, value)
  }
  if (subject?.kind === 'client') {
    parameters.set('pool', String(subject.userPoolId))
    parameters.set('client', String(subject.clientId))
  } else if (subject !== null) parameters.set('kind', subject.kind)
  return String(parameters)
}

export let state = parse(location.hash)

/** @param {Partial<State>} change Replaces the address, without a new entry in the browser's history. */
export function updateState(change) {
  state = { ...state, ...change }
  const fragment = format(state)
  history.replaceState(null, '', fragment === '' ? location.pathname : `#${fragment}`)
}

/** @param {() => void} onChange Called after another link was opened in the same page. */
export function onLink(onChange) {
  addEventListener('hashchange', () => {
    state = parse(location.hash)
    onChange()
  })
}
