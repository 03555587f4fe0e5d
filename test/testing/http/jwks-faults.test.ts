import t from 'tap'
import { type JwksFault, startUserPool } from '../../../src/testing/index.ts'
import { ask, FORM, failure } from '../../support/http.ts'

const clients = [{ clientId: 'billing', clientSecrets: ['secret'] }]
const form = 'grant_type=client_credentials&client_id=billing&client_secret=secret'

async function start(test: { teardown(handler: () => unknown): void }) {
  const pool = await startUserPool({ clients })
  test.teardown(() => pool.close())
  const keySet = () => ask(pool.port, { path: new URL(pool.jwksUri).pathname })
  const token = () =>
    ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM },
      body: form,
    })
  return { pool, keySet, token }
}

t.test('500 and garbage are answered for the key set alone, until healed', async (t) => {
  const { pool, keySet, token } = await start(t)
  await pool.setJwksFault('500')
  t.match(await keySet(), { status: 500 })
  await pool.setJwksFault('garbage')
  const garbage = await keySet()
  t.equal(garbage.status, 200)
  t.throws(() => garbage.json, { name: 'SyntaxError' })
  t.equal((await token()).status, 200)
  await pool.setJwksFault(null)
  const healed = await keySet()
  t.equal(healed.status, 200)
  t.strictSame(healed.json, { keys: pool.jwks().keys })
  t.equal(pool.jwksRequests, 3, 'failed requests count')
})

t.test('hang never answers, and serves all else', async (t) => {
  const { pool, keySet, token } = await start(t)
  await pool.setJwksFault('hang')
  let answered = false
  const hanging = failure(keySet()).finally(() => {
    answered = true
  })
  // Two whole exchanges later the first is still without an answer.
  t.equal((await token()).status, 200)
  t.equal((await token()).status, 200)
  t.notOk(answered)
  t.equal(pool.jwksRequests, 1)
  await pool.setJwksFault(null)
  t.equal((await keySet()).status, 200)
  await pool.close()
  t.match(await hanging, /^(answered|ECONNRESET)$/, 'nobody waits for ever')
})

t.test('refuse ends everything on the port, and comes back on the same one', async (t) => {
  const { pool, keySet, token } = await start(t)
  const { port, issuer } = pool
  await pool.setJwksFault('hang')
  const open = failure(keySet())
  await token()
  await pool.setJwksFault('refuse')
  t.equal(await open, 'ECONNRESET', 'connections that were open are ended')
  for (const asked of [keySet, token]) t.equal(await failure(asked()), 'ECONNREFUSED')
  await pool.setJwksFault('refuse')
  await pool.setJwksFault('500')
  t.match(await keySet(), { status: 500 }, 'another fault listens again')
  await pool.setJwksFault('refuse')
  await pool.setJwksFault(null)
  t.equal((await keySet()).status, 200)
  t.match([pool.port, pool.issuer], [port, issuer])
})

t.test('a fault that is none is refused', async (t) => {
  const { pool, keySet } = await start(t)
  for (const fault of ['slow', undefined, 500, 'toString']) {
    await t.rejects(pool.setJwksFault(fault as JwksFault), {
      code: 'ERR_OPTION_INVALID',
      option: 'fault',
      message: /expected null, a function or one of .*refuse/,
    })
  }
  t.equal((await keySet()).status, 200)
})

t.test('a port that was taken meanwhile is named, and the pool can be healed later', async (t) => {
  const { pool, keySet } = await start(t)
  await pool.setJwksFault('refuse')
  const thief = await startUserPool({ port: pool.port })
  await t.rejects(pool.setJwksFault(null), { code: 'ERR_OPTION_INVALID', option: 'port' })
  await thief.close()
  await pool.setJwksFault(null)
  t.equal((await keySet()).status, 200)
})
