import t from 'tap'
import { PendingWrites } from '../../../src/tokens/store/store-caller.ts'

t.test('10,000 writes are kept, and the oldest is dropped', async (t) => {
  const untold = new PendingWrites()
  for (let index = 0; index <= 10_000; index += 1) untold.add(`group ${index}`, async () => {})
  t.notOk(untold.has('group 0'))
  t.ok(untold.has('group 1'))
  t.equal(untold.keys().length, 10_000)
})

t.test('a write that is added during its retry is retried again', async (t) => {
  const untold = new PendingWrites()
  untold.add('group', async () => untold.add('group', async () => {}))
  await untold.write('group')
  t.ok(untold.has('group'))
  await untold.write('group')
  t.notOk(untold.has('group'))
  await untold.write('group')
  untold.add('group', () => Promise.reject(new Error('away')))
  await t.rejects(untold.write('group'))
  t.ok(untold.has('group'))
})
