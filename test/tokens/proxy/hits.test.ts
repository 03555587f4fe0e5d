/** A caller asks Cognito once, and is served from then on. */
import t from 'tap'
import { decode } from '../../support/http.ts'
import { CLIENT, READ, SECRET, setUpProxy } from '../../support/proxy.ts'

for (const method of ['basic', 'post'] as const) {
  t.test(`${method}: the second request is served from what the first was issued`, async (t) => {
    const { send, wire, clocks } = await setUpProxy(t)
    const first = await send({ method, scope: READ })
    t.equal(first.status, 200)
    t.equal(first.headers['cache-control'], 'no-store')
    t.equal(first.headers.pragma, 'no-cache')
    t.match(first.headers['content-type'], /^application\/json/)
    t.match(first.headers['x-amz-cognito-request-id'], /^[\w-]{36}$/)
    t.equal(first.json['expires_in'], 3600)
    t.equal(decode(first.json['access_token'] as string, 1)['client_id'], CLIENT)
    clocks.advance(10_500)
    const second = await send({ method, scope: READ })
    t.equal(second.status, 200)
    t.same(second.json, { ...first.json, expires_in: 3589 })
    t.equal(second.headers['cache-control'], 'no-store')
    t.equal(second.headers['x-amz-cognito-request-id'], undefined)
    t.equal(wire.count, 1)
    t.equal((await send({ method, scope: READ, secret: `${SECRET}!` })).status, 400)
  })
}
