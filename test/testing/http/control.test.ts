import { mock } from 'node:test'
import t from 'tap'
import { type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import { ask, eventually, failure } from '../../support/http.ts'
import { mockTimeouts } from '../../support/timers.ts'

const FAULT = '/_local/jwks-fault'
const ROTATION = '/_local/rotation'

interface Teardown {
  teardown(handler: () => unknown): void
}

async function start(test: Teardown): Promise<LocalUserPool> {
  const pool = await startUserPool({ clients: [{ clientId: 'billing' }], control: true })
  test.teardown(() => pool.close())
  return pool
}

/** @param headers `content-type` is JSON unless said otherwise. */
function control(pool: LocalUserPool, request: string, body: unknown, headers = {}) {
  const [method, path] = request.split(' ') as [string, string]
  return ask(pool.port, {
    method,
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const keySet = (pool: LocalUserPool) => ask(pool.port, { path: new URL(pool.jwksUri).pathname })

t.test('without the option there is no control', async (t) => {
  const pool = await startUserPool({})
  t.teardown(() => pool.close())
  const before = JSON.stringify(pool.jwks())
  t.equal((await control(pool, `PUT ${FAULT}`, { fault: '500' })).status, 404)
  t.equal((await control(pool, `POST ${ROTATION}`, { keepOld: false })).status, 404)
  t.equal(JSON.stringify(pool.jwks()), before)
  t.equal((await keySet(pool)).status, 200)
})

t.test('a fault is switched on and off', async (t) => {
  const pool = await start(t)
  const on = await control(pool, `PUT ${FAULT}`, { fault: '500' })
  t.match(on, { status: 204, text: '' })
  t.equal((await keySet(pool)).status, 500)
  t.equal((await control(pool, `PUT ${FAULT}`, { fault: null })).status, 204)
  t.equal((await keySet(pool)).status, 200)
})

t.test('a rotation keeps or drops the old keys', async (t) => {
  const pool = await start(t)
  t.equal((await control(pool, `POST ${ROTATION}`, { keepOld: true })).status, 204)
  t.equal(pool.jwks().keys.length, 4)
  const kids = new Set(pool.jwks().keys.map(({ kid }) => kid))
  t.equal((await control(pool, `POST ${ROTATION}`, { keepOld: false })).status, 204)
  t.equal(pool.jwks().keys.length, 2)
  t.notOk(pool.jwks().keys.some(({ kid }) => kids.has(kid)))
})

t.test('what a web page can send is refused and changes nothing', async (t) => {
  const pool = await start(t)
  const before = JSON.stringify(pool.jwks())
  const type = (value: string) => ({ 'content-type': value })
  const pages: readonly [string, Record<string, string>, number][] = [
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['a page of this origin', { origin: `http://127.0.0.1:${pool.port}` }, 403],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a same-site fetch', { 'sec-fetch-site': 'same-site' }, 403],
    ['a plain form', type('text/plain'), 415],
    ['a form', type('application/x-www-form-urlencoded'), 415],
    ['an upload', type('multipart/form-data; boundary=x'), 415],
    ['JSON with a parameter', type('application/json; charset=utf-8'), 415],
    ['JSON of another name', type('application/json-patch+json'), 415],
  ]
  for (const [name, headers, status] of pages) {
    for (const [request, body] of [
      [`PUT ${FAULT}`, { fault: '500' }],
      [`POST ${ROTATION}`, { keepOld: false }],
    ] as const) {
      const answer = await control(pool, request, body, headers)
      t.equal(answer.status, status, `${name}, ${request}`)
      t.match(answer.json['error'], /^[^\n]+$/)
      const cors = Object.keys(answer.headers).filter((it) => it.startsWith('access-control-'))
      t.strictSame(cors, [])
    }
  }
  const preflight = await ask(pool.port, {
    method: 'OPTIONS',
    path: FAULT,
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
  })
  t.equal(preflight.status, 403)
  t.equal(JSON.stringify(pool.jwks()), before)
  t.equal((await keySet(pool)).status, 200)
  for (const site of ['none', 'same-origin']) {
    const answer = await control(pool, `PUT ${FAULT}`, { fault: null }, { 'sec-fetch-site': site })
    t.equal(answer.status, 204, site)
  }
})

t.test('what is not understood is 400 in one line and changes nothing', async (t) => {
  const pool = await start(t)
  const before = JSON.stringify(pool.jwks())
  const cases: readonly [string, unknown][] = [
    [`PUT ${FAULT}`, ''],
    [`PUT ${FAULT}`, '{"fault":'],
    [`PUT ${FAULT}`, '[]'],
    [`PUT ${FAULT}`, 'null'],
    [`PUT ${FAULT}`, '"500"'],
    [`PUT ${FAULT}`, {}],
    [`PUT ${FAULT}`, { fault: 'slow' }],
    [`PUT ${FAULT}`, { fault: 500 }],
    [`PUT ${FAULT}`, { fault: 'toString' }],
    [`PUT ${FAULT}`, { fault: '500', second: 3 }],
    [`PUT ${FAULT}`, { fault: '500', seconds: 0 }],
    [`PUT ${FAULT}`, { fault: '500', seconds: 301 }],
    [`PUT ${FAULT}`, { fault: '500', seconds: '3' }],
    [`PUT ${FAULT}`, { fault: 'refuse' }],
    [`PUT ${FAULT}`, `{"fault":"500"}${' '.repeat(16 * 1024)}`],
    [`POST ${ROTATION}`, {}],
    [`POST ${ROTATION}`, { keepOld: 'yes' }],
    [`POST ${ROTATION}`, { keepOld: true, now: true }],
  ]
  for (const [request, body] of cases) {
    const answer = await control(pool, request, body)
    t.equal(answer.status, 400, `${request} ${JSON.stringify(body).slice(0, 60)}`)
    t.match(answer.json['error'], /^[^\n]+$/)
  }
  for (const request of [`POST ${FAULT}`, `PUT ${ROTATION}`, 'PUT /_local/', 'PUT /_local/other']) {
    t.equal((await control(pool, request, { fault: '500' })).status, 404, request)
  }
  t.equal(JSON.stringify(pool.jwks()), before)
  t.equal((await keySet(pool)).status, 200)
})

t.test('a fault with an end heals by itself, also one that refuses connections', async (t) => {
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const pool = await start(t)
  t.equal((await control(pool, `PUT ${FAULT}`, { fault: '500', seconds: 2 })).status, 204)
  mock.timers.tick(1999)
  t.equal((await keySet(pool)).status, 500)
  mock.timers.tick(1)
  t.equal((await keySet(pool)).status, 200)

  t.equal((await control(pool, `PUT ${FAULT}`, { fault: 'refuse', seconds: 300 })).status, 204)
  t.equal(await failure(keySet(pool)), 'ECONNREFUSED')
  mock.timers.tick(299_999)
  t.equal(await failure(keySet(pool)), 'ECONNREFUSED')
  mock.timers.tick(1)
  t.equal((await eventually(() => keySet(pool))).status, 200)
})

t.test('a later fault outlives the end of an earlier one', async (t) => {
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const pool = await start(t)
  await control(pool, `PUT ${FAULT}`, { fault: '500', seconds: 2 })
  await control(pool, `PUT ${FAULT}`, { fault: 'garbage' })
  mock.timers.tick(10_000)
  t.match(await keySet(pool), { status: 200, text: /garbage/ })
  await control(pool, `PUT ${FAULT}`, { fault: '500', seconds: 2 })
  await pool.close()
  mock.timers.tick(10_000)
  t.equal(await failure(keySet(pool)), 'ECONNREFUSED', 'a closed pool stays closed')
})
