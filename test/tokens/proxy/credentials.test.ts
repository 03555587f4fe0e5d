/** Records of credentials: what survives a change of another process, and what cannot be read. */
import t from 'tap'
import { VerifiedCredentials } from '../../../src/tokens/proxy/cached-results.ts'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import { encryptionKeys, sharedStore } from '../../support/proxy.ts'

const record = { name: 'record', group: 'records' }
const credential = { clientId: 'billing', recordKey: record, entryGroup: 'entries' }

function opened() {
  const clocks = new Clocks()
  const store = sharedStore(clocks)
  const { now, monotonicNow } = clocks
  const steady = new ResilientStore({ store, encryptionKeys, logger: undefined, now, monotonicNow })
  return { store, steady, credentials: new VerifiedCredentials(steady) }
}

async function keep(steady: ResilientStore, place: typeof record, text: string): Promise<void> {
  const { epoch } = await steady.get(place.name, place.group)
  await steady.set(place.name, place.group, { value: Buffer.from(text), epoch, ttl: 1000 })
}

t.test('an invalid record verifies no client and fails no request', async (t) => {
  const { steady, credentials } = opened()
  await keep(steady, record, '{')
  t.equal(await credentials.find(credential), undefined)
  await credentials.remove(credential)
  await credentials.recordEntry(credential, 'entry', 'pool')
  t.same(await credentials.find(credential), { clientId: 'billing', userPoolId: 'pool' })
})

t.test('without the lock, a record is changed anyway', async (t) => {
  const { store, steady, credentials } = opened()
  store.lock = async () => false
  await credentials.recordEntry(credential, 'entry', null)
  const entry = { name: 'entry', group: 'entries' }
  await keep(steady, entry, 'token')
  t.same(await credentials.find(credential), { clientId: 'billing', userPoolId: null })
  await credentials.remove(credential)
  t.equal((await steady.get('entry', 'entries')).value, undefined)
  t.equal(await credentials.find(credential), undefined)
})
