/** A closed server knows no token any more, whatever was under way. */
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { machineToken } from '../../support/forge.ts'
import { ask, authorization, running } from '../../support/running-server.ts'

t.test('closing rejects every cached token', async (t) => {
  const { server } = running(t)
  const guard = server.guard()
  t.equal(await ask(guard), 'accepted')
  server.close()
  t.equal(await ask(guard), 'ERR_KEYS_UNAVAILABLE')
})

t.test('a token verified while the server closes is not cached', async (t) => {
  const { server } = running(t)
  await server.ready()
  const guard = server.guard()
  const crowd = Array.from({ length: 20 }, (_, jti) => `Bearer ${machineToken({ jti: `${jti}` })}`)
  const answers = crowd.map((value) => guard(value))
  t.ok(answers.at(-1) instanceof Promise, 'verified beside the event loop')
  server.close()
  await Promise.all(answers)
  for (const value of crowd) t.equal(await ask(guard, value), 'ERR_KEYS_UNAVAILABLE')
})

t.test('closing releases the cached tokens', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { server } = running(t)
  const guard = server.guard()
  const known = new WeakRef((await guard(authorization)) as object)
  const isThere = async (): Promise<boolean> => {
    await setImmediate()
    collect()
    return known.deref() !== undefined
  }
  t.equal(await isThere(), true)
  server.close()
  t.equal(await isThere(), false)
})
