/** docs/observability.md names every channel, member and code there is, and no other. */
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { JwksError, type JwksErrorCode } from '../../src/index.ts'
import { startUserPool } from '../../src/testing/index.ts'
import { createTokenClient } from '../../src/tokens/client/index.ts'
import { outcome, serve } from '../support/forge.ts'
import { Clocks, find, good, KeyEndpoint, openStore, status } from '../support/key-endpoint.ts'
import { listen, NAMES } from '../support/listen.ts'

const page = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8')

/** Rows of the table whose head begins with a cell: its first cells to the rest. */
function rows(head: string): Map<string, string> {
  const table = page.slice(page.indexOf(`| ${head} |`)).split('\n\n')[0] as string
  const cells = table
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(
    cells.map(([, first = '', ...rest]) => [first.replaceAll('`', ''), rest.join('|')]),
  )
}

t.test('the members of each event stand in the table', async (t) => {
  const { heard } = listen(t)
  await outcome(serve().guard(), undefined)
  const endpoint = new KeyEndpoint().answer(good('a'))
  const { store } = openStore(endpoint, new Clocks())
  await store.ready()
  await find(store, 'b')
  endpoint.answer(status(500))
  await find(store, 'c')
  store.close()
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  await fetch(pool.tokenEndpoint, { method: 'POST' })
  const { tokenEndpoint } = pool
  const client = createTokenClient({ tokenEndpoint, clientId: 'none', clientSecret: 'none' })
  await client.getToken().catch(() => {})
  const events = rows('channel')
  t.strictSame([...events.keys()], NAMES)
  for (const name of NAMES) {
    const event = heard.find((it) => it.name === name)?.event
    const members = [...(events.get(name) as string).matchAll(/`(\w+)`/g)].map(
      ([, member]) => member,
    )
    t.strictSame(members, Object.keys(event ?? {}), name)
  }
})

t.test('the codes of a failed fetch stand in the table', (t) => {
  const codes: Record<JwksErrorCode, true> = {
    ERR_JWKS_TIMEOUT: true,
    ERR_JWKS_NETWORK: true,
    ERR_JWKS_REDIRECT: true,
    ERR_JWKS_STATUS: true,
    ERR_JWKS_TOO_LARGE: true,
    ERR_JWKS_INVALID: true,
    ERR_JWKS_NO_USABLE_KEY: true,
    ERR_JWKS_CLOSED: true,
  }
  t.strictSame([...rows('`lastError` | the endpoint').keys()], Object.keys(codes))
  for (const code of Object.keys(codes) as JwksErrorCode[]) t.ok(new JwksError(code).message)
  t.end()
})

t.test('the members of the status stand in the example', (t) => {
  const server = serve()
  const [, json] = /```json\n(.*?)```/s.exec(page) ?? []
  const example = JSON.parse(json as string) as ReturnType<typeof server.status>
  t.strictSame(Object.keys(example), Object.keys(server.status()))
  t.strictSame(
    Object.keys(example.userPools[0] ?? {}),
    Object.keys(server.status().userPools[0] ?? {}),
  )
  t.end()
})
