import t from 'tap'
import {
  decideUnknownKid,
  type UnknownKidDecision,
  type UnknownKidState,
} from '../../../src/core/keys/unknown-kid.ts'

/** A healthy pool with one issuer form, whose last fetch is long ago. */
const HEALTHY: UnknownKidState = {
  isOffline: false,
  isQueueFull: false,
  isClosed: false,
  isFetching: false,
  hasValidKeys: true,
  hasOtherKeys: false,
  hasNewerKeys: false,
  wasFetched: false,
  isBackingOff: false,
  isRecent: false,
  isUnusable: false,
  isUnusedForm: false,
}

const NO_KEYS = { hasValidKeys: false }
const UNUSED = { ...NO_KEYS, hasOtherKeys: true, isUnusedForm: true }

type Row = readonly [
  name: string,
  state: Partial<UnknownKidState>,
  decision: UnknownKidDecision,
  /** Applies too, and counts less. */
  weaker?: Partial<UnknownKidState>,
]

/** The rows of the table in the function's comment. */
const rows: readonly Row[] = [
  ['row 1: offline keys', { isOffline: true }, 'reject', { isQueueFull: true, isClosed: true }],
  ['row 2: full queue', { isQueueFull: true }, 'unavailable', { isClosed: true, isFetching: true }],
  ['row 3: closed', { isClosed: true }, 'closed', { isFetching: true, hasNewerKeys: true }],
  ['row 4: fetch in flight', { isFetching: true }, 'wait', { hasNewerKeys: true }],
  [
    'row 5: keys of a later fetch',
    { hasNewerKeys: true },
    'reject',
    { wasFetched: true, isBackingOff: true },
  ],
  ['row 6: a later fetch failed', { wasFetched: true }, 'unavailable', { isRecent: true }],
  ['row 6: backing off', { isBackingOff: true }, 'unavailable', { isRecent: true }],
  ['row 7: no keys', NO_KEYS, 'fetch', { isRecent: true, hasNewerKeys: true }],
  ['row 8: recent keys', { isRecent: true }, 'fetch-or-reject', { hasOtherKeys: true }],
  ['row 9: older keys', {}, 'fetch-or-unavailable', { hasOtherKeys: true }],
  ['row 9: keys of another form', { ...NO_KEYS, hasOtherKeys: true }, 'fetch-or-unavailable'],
  [
    'row 9: keys that are too old',
    { ...NO_KEYS, hasOtherKeys: true, isRecent: true },
    'fetch-or-unavailable',
  ],
]

/** The exceptions below the table, on the rows that they change. */
const exceptions: readonly Row[] = [
  ['row 1, unusable key', { isOffline: true, isUnusable: true }, 'unavailable'],
  ['row 5, unusable key', { hasNewerKeys: true, isUnusable: true }, 'unavailable'],
  ['row 8, unusable key', { isRecent: true, isUnusable: true }, 'fetch-or-unavailable'],
  ['row 2, unused form', { isQueueFull: true, ...UNUSED }, 'reject'],
  ['row 6, unused form', { wasFetched: true, ...UNUSED }, 'reject'],
  ['row 6, unused form that backs off', { isBackingOff: true, ...UNUSED }, 'reject'],
  ['row 9, unused form', UNUSED, 'fetch-or-reject'],
  ['row 3, unused form', { isClosed: true, ...UNUSED }, 'closed'],
  ['row 6, unused form with valid keys', { isBackingOff: true, isUnusedForm: true }, 'unavailable'],
]

for (const [name, state, decision, weaker = {}] of [...rows, ...exceptions]) {
  t.test(`${name}: ${decision}`, async (t) => {
    t.equal(decideUnknownKid({ ...HEALTHY, ...state }), decision)
    t.equal(decideUnknownKid({ ...HEALTHY, ...weaker, ...state }), decision, 'the first row counts')
  })
}
