/**
 * The oracle: whether one answer can be right, judged from what the parent published and broke, and
 * when. It knows the contract of the key store and nothing of the servers. All times in milliseconds
 * on one clock; whatever may have been decided before or after an event counts as either.
 */
import { timing } from './timing.mjs'

const { refreshInterval, cooldown, fetchTimeout, slack } = timing

/** Longest a fetch from an endpoint in health takes, and what follows from it to be in force. */
const FETCH = fetchTimeout + slack
/** An unknown kid earns a fetch at least this often. */
const LEARN = cooldown + FETCH
/** A refresh begins and ends within this. */
const REFRESH = refreshInterval * 1.1 + FETCH
/** What the endpoint answered before it failed is in force and past its cooldown after this. */
const LAST_PROOF = cooldown + 2 * slack

/** An answer that needs no key, and no fetch, takes milliseconds. */
const BUSY = slack / 2

/** How each kind is refused once its key, if it needs one, is there. */
const CODES = {
  expired: 'ERR_TOKEN_EXPIRED',
  garbage: 'ERR_TOKEN_INVALID',
  'bad signature': 'ERR_TOKEN_SIGNATURE',
}

/** Backoff: the soonest a further failure can come after the one before, and the longest step. */
function longestStep(duration) {
  let step = 1000
  let soonest = Math.max(1000, step * 0.75)
  for (let at = soonest; at <= duration && step < 60_000; at += soonest) {
    step = Math.min(60_000, step * 2)
    soonest = step * 0.75
  }
  return step
}

/**
 * Outages as the servers live through them: each lasts until backoff has surely let a fetch through,
 * and one that begins before that goes on with the backoff of the one before.
 */
function episodes(outages) {
  const list = []
  for (const { from, until = Number.POSITIVE_INFINITY, isBusy = false } of outages) {
    const last = list.at(-1)
    const goesOn = last !== undefined && from < last.recovered
    const {
      from: begun,
      broken,
      wasBusy,
    } = goesOn ? list.pop() : { from, broken: [], wasBusy: false }
    const recovered = until + longestStep(until - begun + slack) + FETCH
    const failing = isBusy ? broken : [...broken, { from, until }]
    list.push({ from: begun, recovered, broken: failing, wasBusy: wasBusy || isBusy })
  }
  return list
}

/**
 * On a machine that is busy beyond the scale of timing.mjs, a fetch from a healthy endpoint may run out of
 * time, as in an outage. Answers that need no fetch show when that was. Only what a busy machine
 * cannot change is judged then: known keys, signatures, malformed tokens.
 */
export function withBusyTimes(outages, answers) {
  const late = answers
    .filter(({ kind }) => kind === 'expired' || kind === 'garbage')
    .filter(({ sentAt, answeredAt }) => answeredAt - sentAt > BUSY)
    .sort((one, other) => one.sentAt - other.sentAt)
  const busy = []
  for (const { sentAt: from, answeredAt: until } of late) {
    const last = busy.at(-1)
    if (last !== undefined && from <= last.until) last.until = Math.max(last.until, until)
    else busy.push({ from, until, isBusy: true })
  }
  return [...outages, ...busy].sort((one, other) => one.from - other.from)
}

/** When servers certainly know what was changed at a time, if `within` is what it takes in health. */
function noticedBy(at, within, list) {
  const hit = list.filter(({ from, recovered }) => from < at + within && at < recovered)
  return Math.max(at + within, ...hit.map(({ recovered }) => recovered))
}

/** The soonest servers can know what was changed at a time: not while the endpoint fails. */
function noticedFrom(at, list) {
  const inside = list
    .flatMap(({ broken }) => broken)
    .find(({ from, until }) => from <= at && at < until)
  return inside?.until ?? at
}

/** Whether servers must, and may, have the key in force that a request names. */
function standing({ key, sentAt, answeredAt }, list) {
  if (key === undefined) return { must: false, may: false }
  const { publishedAt, removedAt } = key
  const known = sentAt >= noticedBy(publishedAt, LEARN, list)
  if (removedAt === undefined) return { must: known, may: true }
  return {
    must: known && answeredAt < noticedFrom(removedAt, list),
    may: sentAt <= noticedBy(removedAt, REFRESH, list),
  }
}

/** Whether a good fetch without the key can have ended less than a cooldown ago: a 401 is a proof. */
function mayBeDisproved({ key, sentAt, answeredAt }, list) {
  const busy = list.filter(({ wasBusy }) => wasBusy)
  if (overlapsOutage({ sentAt, answeredAt }, busy)) return true
  const broken = list
    .flatMap((it) => it.broken)
    .find(({ from, until }) => from <= sentAt && answeredAt < until)
  const never = Number.POSITIVE_INFINITY
  const removed = key?.removedAt !== undefined && answeredAt >= key.removedAt
  const learnt = key === undefined || removed ? never : key.publishedAt + LEARN
  return sentAt <= Math.min(learnt, broken === undefined ? never : broken.from + LAST_PROOF)
}

function overlapsOutage({ sentAt, answeredAt }, list) {
  return list.some(({ from, recovered }) => from <= answeredAt && sentAt < recovered)
}

/** Every outcome that can be right. */
function possible(answer, list) {
  const { kind } = answer
  if (kind === 'expired' || kind === 'garbage') return ['refused']
  const { must, may } = standing(answer, list)
  const outcomes = []
  if (may) outcomes.push(kind === 'valid' ? 'accepted' : 'refused')
  if (must) return outcomes
  if (mayBeDisproved(answer, list)) outcomes.push('unknown')
  if (overlapsOutage(answer, list)) outcomes.push('unavailable')
  return outcomes
}

function outcomeOf({ kind, status, code }) {
  if (status >= 200 && status < 300) return 'accepted'
  if (status === 401 && code === 'ERR_KEY_UNKNOWN') return 'unknown'
  if (status === 401 && code === CODES[kind]) return 'refused'
  return status === 503 && code === 'ERR_KEYS_UNAVAILABLE' ? 'unavailable' : 'broken'
}

/** The column a request is counted in: what it is at the moment it is sent. */
export function columnOf({ kind, key, sentAt }, outages) {
  if (kind !== 'valid') return kind
  if (key.removedAt !== undefined) return 'removed key'
  const { must } = standing({ key, sentAt, answeredAt: sentAt }, episodes(outages))
  return must ? 'known key' : 'new key'
}

/**
 * @returns Undefined where the answer can be right, else in which way it is wrong: `valid refused`
 *   (while its key is known), `invalid accepted`, `removed accepted` (later than one refresh after
 *   the removal), or `other`: a 5xx for what is plainly invalid, a 503 from a healthy pool, a 401 for
 *   what could not be judged, any 500, a broken connection.
 */
export function judge(answer, outages) {
  const list = episodes(outages)
  const outcome = outcomeOf(answer)
  if (possible(answer, list).includes(outcome)) return undefined
  if (outcome === 'accepted')
    return answer.kind === 'valid' ? 'removed accepted' : 'invalid accepted'
  return answer.kind === 'valid' && standing(answer, list).must ? 'valid refused' : 'other'
}
