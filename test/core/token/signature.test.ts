/** Few signatures are verified synchronously, many on the thread pool, and none is skipped. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { decodeJws, type Jws } from '../../../src/core/token/jws.ts'
import { isSignedBy } from '../../../src/core/token/signature.ts'
import { keyPair, machineToken } from '../../support/forge.ts'

const { publicKey } = keyPair()
const good = decodeJws(machineToken(), new Map()) as Jws
const forged: Jws = { ...good, signature: 'A'.repeat(good.signature.length) }

/** Checks that one turn of the event loop runs synchronously. */
const MAX_SYNCHRONOUS = 32

t.test('the first checks of a turn are synchronous, the rest in the thread pool', async (t) => {
  for (let turn = 0; turn < 3; turn += 1) {
    await setImmediate()
    const crowd = Array.from({ length: 44 }, (_, index) => (index % 2 === 0 ? good : forged))
    const answers = crowd.map((jws) => isSignedBy(jws, publicKey))
    const synchronous = crowd.slice(0, MAX_SYNCHRONOUS).map((jws) => jws === good)
    t.strictSame(answers.slice(0, MAX_SYNCHRONOUS), synchronous)
    t.ok(answers.slice(MAX_SYNCHRONOUS).every((answer) => answer instanceof Promise))
    t.strictSame(
      await Promise.all(answers),
      crowd.map((jws) => jws === good),
    )
  }
})

t.test('the checks of one turn count in no other', async (t) => {
  await setImmediate()
  t.equal(isSignedBy(good, publicKey), true)
  await setImmediate()
  const answers = Array.from({ length: MAX_SYNCHRONOUS }, () => isSignedBy(good, publicKey))
  t.ok(answers.every((answer) => answer === true))
})

t.test('while many checks are in the thread pool, later ones go there too', async (t) => {
  await setImmediate()
  const crowd = Array.from({ length: 128 }, () => isSignedBy(good, publicKey))
  await crowd[MAX_SYNCHRONOUS]
  const next = isSignedBy(forged, publicKey)
  t.type(next, Promise)
  t.equal(await next, false)
  await Promise.all(crowd)
  await setImmediate()
  t.equal(isSignedBy(good, publicKey), true, 'afterwards checks are synchronous again')
})

t.test('another key proves nothing, synchronously or in the thread pool', async (t) => {
  await setImmediate()
  const { publicKey: another } = keyPair('other')
  const answers = Array.from({ length: 44 }, () => isSignedBy(good, another))
  t.ok((await Promise.all(answers)).every((answer) => answer === false))
})
