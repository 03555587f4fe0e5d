/** `close()` and the token cache: a closed server accepts and keeps no token. */
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { machineToken } from '../../support/forge.ts'
import {
  ask,
  authorization,
  coreGuard,
  countInThreadPool,
  running,
} from '../../support/running-server.ts'

t.test('a closed server rejects cached tokens', async (t) => {
  const { server } = running(t)
  const guard = server.guard()
  t.equal(await ask(guard), 'accepted')
  server.close()
  t.equal(await ask(guard), 'ERR_KEYS_UNAVAILABLE')
})

/** More verifications than one turn of the event loop runs synchronously (`MAX_SYNCHRONOUS`, 32). */
const headers = Array.from({ length: 44 }, (_, jti) => `Bearer ${machineToken({ jti: `${jti}` })}`)

t.test('a token that is in verification during close() is rejected afterwards', async (t) => {
  const { server } = running(t)
  await server.ready()
  const guard = coreGuard(server)
  const verifications = headers.map((value) => guard(value))
  t.ok((await countInThreadPool(verifications)) >= 12, 'in the thread pool during close()')
  server.close()
  await Promise.all(verifications)
  for (const value of headers) t.equal(await ask(guard, value), 'ERR_KEYS_UNAVAILABLE')
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  await setImmediate()
  collect()
  return reference.deref() === undefined
}

t.test('close() releases the cached tokens', async (t) => {
  const { server } = running(t)
  const guard = server.guard()
  const reference = new WeakRef((await guard(authorization)) as object)
  t.equal(await isCollected(reference), false)
  server.close()
  t.equal(await isCollected(reference), true)
})

t.test('a token that is in verification during close() is not cached', async (t) => {
  const { server } = running(t)
  await server.ready()
  const guard = coreGuard(server)
  const startAndClose = async (): Promise<WeakRef<object>[]> => {
    const verifications = headers.map((value) => guard(value))
    t.ok((await countInThreadPool(verifications)) >= 12, 'in the thread pool during close()')
    server.close()
    const tokens = (await Promise.all(verifications)) as object[]
    return tokens.map((token) => new WeakRef(token))
  }
  for (const reference of await startAndClose()) t.equal(await isCollected(reference), true)
  t.throws(() => guard(headers.at(-1)), { code: 'ERR_KEYS_UNAVAILABLE' })
})
