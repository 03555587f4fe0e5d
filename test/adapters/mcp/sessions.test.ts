/** A session of the SDK belongs to no caller, as docs/mcp.md says; the guard decides on every request of it. */
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/mcp/index.ts'
import { createTestUserPool } from '../../../src/testing/index.ts'
import { listen, READ, RESOURCE, WRITE } from '../../support/mcp.ts'
import { createConformanceApp } from './conformance/server.ts'

const pool = createTestUserPool({ clients: [{ clientId: 'agent' }, { clientId: 'other' }] })
const auth = cognitoAuth({ ...pool.options(), resourceMetadata: { resource: RESOURCE } })

t.test('each request of a session needs a token, and any allowed caller may use it', async (t) => {
  const port = await listen(t, createConformanceApp(auth({ scopes: READ })))
  const post = (token: string | undefined, message: object, session?: string) =>
    fetch(`http://127.0.0.1:${port}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(session !== undefined && { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
  const clientInfo = { name: 'test', version: '1.0.0' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  const agent = pool.accessToken({ clientId: 'agent', scopes: READ })
  const opened = await post(agent, { method: 'initialize', params })
  const session = opened.headers.get('mcp-session-id') ?? undefined
  t.type(session, 'string')
  const ping = { method: 'ping' }
  t.equal((await post(agent, ping, session)).status, 200)
  t.equal((await post(undefined, ping, session)).status, 401)
  const unscoped = pool.accessToken({ clientId: 'agent', scopes: WRITE })
  t.equal((await post(unscoped, ping, session)).status, 403)
  const other = pool.accessToken({ clientId: 'other', scopes: READ })
  t.equal((await post(other, ping, session)).status, 200, 'the SDK binds no session to a caller')
})
