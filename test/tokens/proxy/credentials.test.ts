/** Records of pairs: what survives a change of another process, and what cannot be read. */
import t from 'tap'
import { Pairs } from '../../../src/tokens/proxy/credentials.ts'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import { encryptionKeys, sharedStore } from '../../support/proxy.ts'

const record = { name: 'record', group: 'records' }
const pair = { clientId: 'billing', record, entries: 'entries' }

function opened() {
  const clocks = new Clocks()
  const store = sharedStore(clocks)
  const { now, monotonicNow } = clocks
  const steady = new ResilientStore({ store, encryptionKeys, logger: undefined, now, monotonicNow })
  return { store, steady, pairs: new Pairs(steady) }
}

async function keep(steady: ResilientStore, place: typeof record, text: string): Promise<void> {
  const { epoch } = await steady.find(place.name, place.group)
  await steady.keep(place.name, place.group, { value: Buffer.from(text), epoch, ttl: 1000 })
}

t.test('a record that cannot be read proves nothing and stops nothing', async (t) => {
  const { steady, pairs } = opened()
  await keep(steady, record, '{')
  t.equal(await pairs.proofOf(pair), undefined)
  await pairs.forget(pair)
  await pairs.remember(pair, 'entry', 'pool')
  t.same(await pairs.proofOf(pair), { clientId: 'billing', userPoolId: 'pool' })
})

t.test('who cannot be the one that changes a record changes it all the same', async (t) => {
  const { store, steady, pairs } = opened()
  store.lock = async () => false
  await pairs.remember(pair, 'entry', null)
  const entry = { name: 'entry', group: 'entries' }
  await keep(steady, entry, 'token')
  t.same(await pairs.proofOf(pair), { clientId: 'billing', userPoolId: null })
  await pairs.forget(pair)
  t.equal((await steady.find('entry', 'entries')).value, undefined)
  t.equal(await pairs.proofOf(pair), undefined)
})
