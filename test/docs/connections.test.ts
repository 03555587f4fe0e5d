/** What docs/connections.md shows for tokens that are in no header does what the page says. */
import { readFileSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { createTestUserPool } from '../../src/testing/index.ts'

interface Shown {
  readonly handle: (message: { body: string; token?: unknown }) => Promise<string>
  readonly onConnect: (context: {
    readonly connectionParams?: { readonly token?: unknown }
    readonly extra: { readonly socket: PassThrough }
  }) => Promise<boolean>
}

/** Source of this repository in place of the package, keys of the test in place of Cognito's. */
async function load(folder: string, code: string, jwks: object): Promise<Shown> {
  const source = new URL('../../src/index.ts', import.meta.url)
  const text = code
    .replace("'cognito-m2m'", JSON.stringify(source))
    .replace('clientId: null', `clientId: null, jwks: ${JSON.stringify(jwks)}`)
  const file = pathToFileURL(`${folder}/shown.ts`)
  writeFileSync(file, text)
  return import(file.href)
}

t.test('a bare token of a queue or of GraphQL is verified as in a header', async (t) => {
  const page = readFileSync(new URL('../../docs/connections.md', import.meta.url), 'utf8')
  const [, code = ''] = /^## Queues and GraphQL\n.*?^```ts\n(.*?)^```$/ms.exec(page) ?? []
  const pool = createTestUserPool({
    userPoolId: 'eu-west-1_AbCdEfGhI',
    clients: [{ clientId: 'billing', scopes: ['orders/read', 'orders/write'] }],
  })
  const { handle, onConnect } = await load(t.testdir({}), code, pool.jwks())
  const token = pool.accessToken({ scopes: 'orders/read' })
  t.equal(await handle({ body: 'one', token }), 'done')
  const others = [
    ...[undefined, null, 5, {}, [token], '', `Bearer ${token}`, `${token} ${token}`],
    ...[pool.accessToken({ scopes: 'orders/write' }), pool.tampered.expired()],
  ]
  for (const other of others) t.equal(await handle({ body: 'two', token: other }), 'reject')
  const socket = new PassThrough()
  t.equal(await onConnect({ connectionParams: { token }, extra: { socket } }), true)
  t.equal(await onConnect({ extra: { socket } }), false)
  t.equal(await onConnect({ connectionParams: { token: 'x' }, extra: { socket } }), false)
  // Ends the timer that would end it with its token.
  socket.destroy()
})
