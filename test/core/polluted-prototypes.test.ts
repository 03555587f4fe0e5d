/** Members on Object.prototype, as after a prototype pollution: none verifies a token or grants access. */
import t, { type Test } from 'tap'
import { jwk, keyPair, machineClaims, machineToken, outcome, serve } from '../support/forge.ts'

/** As `lodash.merge` or a query parser with a hole in it leaves the process behind. */
function pollute(t: Test, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
    t.teardown(() => Reflect.deleteProperty(Object.prototype, name))
  }
}

const forged = `Bearer ${machineToken({}, {}, keyPair('stranger'))}`
const unknown = `Bearer ${machineToken({}, { kid: 'unknown' }, keyPair('stranger'))}`

for (const members of [
  { retryAfter: 1, claims: machineClaims() },
  { key: keyPair('stranger').publicKey, claims: machineClaims() },
  { key: keyPair('stranger').publicKey, retryAfter: 1, claims: machineClaims() },
]) {
  t.test(`${Object.keys(members)} on every object make no good signature`, async (t) => {
    const fetch = async (): Promise<Response> => Response.json({ keys: [jwk()] })
    const server = serve({ jwks: undefined, fetch })
    t.teardown(() => server.close())
    await server.ready()
    const guard = server.guard()
    const down = serve({ jwks: undefined, fetch: async () => new Response('', { status: 500 }) })
    t.teardown(() => down.close())
    await down.ready()
    const guardDown = down.guard()
    pollute(t, members)
    t.equal(await outcome(guard, forged), 'ERR_TOKEN_SIGNATURE')
    t.equal(await outcome(guard, unknown), 'ERR_KEY_UNKNOWN')
    t.equal(await outcome(guardDown, forged), 'ERR_KEYS_UNAVAILABLE')
    t.equal(await outcome(guard, `Bearer ${machineToken()}`), 'accepted')
  })
}

t.test('a scope on every object is granted to no token without one', async (t) => {
  const server = serve()
  t.teardown(() => server.close())
  const guard = server.guard({ scopes: 'orders/admin' })
  const any = server.guard()
  const token = `Bearer ${machineToken({ scope: undefined })}`
  pollute(t, { scope: 'orders/admin' })
  t.equal(await outcome(guard, token), 'ERR_SCOPE_INSUFFICIENT')
  t.equal(await outcome(guard, token), 'ERR_SCOPE_INSUFFICIENT', 'again')
  t.equal((await any(token)).scopes.size, 0)
})
