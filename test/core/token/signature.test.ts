/** Few signatures are verified synchronously, many on the thread pool, and none is skipped. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { decodeJws, type Jws } from '../../../src/core/token/jws.ts'
import { isSignedBy } from '../../../src/core/token/signature.ts'
import { keyPair, machineToken } from '../../support/forge.ts'

const { publicKey } = keyPair()
const good = decodeJws(machineToken(), new Map()) as Jws
const forged: Jws = { ...good, signature: 'A'.repeat(good.signature.length) }

t.test('eight checks a turn are answered at once, the rest beside the event loop', async (t) => {
  for (let turn = 0; turn < 3; turn += 1) {
    await setImmediate()
    const crowd = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? good : forged))
    const answers = crowd.map((jws) => isSignedBy(jws, publicKey))
    t.strictSame(answers.slice(0, 8), [true, false, true, false, true, false, true, false])
    t.ok(answers.slice(8).every((answer) => answer instanceof Promise))
    t.strictSame(
      await Promise.all(answers),
      crowd.map((jws) => jws === good),
    )
  }
})

t.test('what one turn checked counts in no other', async (t) => {
  await setImmediate()
  t.equal(isSignedBy(good, publicKey), true)
  await setImmediate()
  const answers = Array.from({ length: 8 }, () => isSignedBy(good, publicKey))
  t.ok(answers.every((answer) => answer === true))
})

t.test('while a crowd is in flight, what comes next joins it', async (t) => {
  await setImmediate()
  const crowd = Array.from({ length: 64 }, () => isSignedBy(good, publicKey))
  await crowd[8]
  const next = isSignedBy(forged, publicKey)
  t.type(next, Promise)
  t.equal(await next, false)
  await Promise.all(crowd)
  await setImmediate()
  t.equal(isSignedBy(good, publicKey), true, 'and then checks are in line again')
})

t.test('another key proves nothing, in line or aside', async (t) => {
  await setImmediate()
  const { publicKey: another } = keyPair('other')
  const answers = Array.from({ length: 12 }, () => isSignedBy(good, another))
  t.ok((await Promise.all(answers)).every((answer) => answer === false))
})
