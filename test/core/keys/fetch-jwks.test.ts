import { gzipSync } from 'node:zlib'
import t from 'tap'
import { fetchJwks, JwksError, type JwksErrorCode } from '../../../src/core/keys/fetch-jwks.ts'
import { hang, refused, status } from '../../support/key-endpoint.ts'

const NOW = Date.parse('2024-01-01T00:00:00Z')
const URI = 'https://pool.example/jwks.json'

function load(
  fetch: (init: RequestInit) => unknown,
  { signal = new AbortController().signal, timeout = 3000 } = {},
): Promise<unknown> {
  const injected = async (_uri: unknown, init?: RequestInit): Promise<Response> =>
    fetch(init ?? {}) as Promise<Response>
  return fetchJwks(URI, {
    fetch: injected as typeof globalThis.fetch,
    timeoutMs: timeout,
    signal,
    now: () => NOW,
  })
}

async function failure(promise: Promise<unknown>): Promise<JwksError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof JwksError)) throw new Error('expected a JwksError')
  return error
}

function streamed(chunks: Iterable<string>, onCancel = (): void => {}): Response {
  const iterator = chunks[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = iterator.next()
      if (next.done === true) controller.close()
      else controller.enqueue(Buffer.from(next.value))
    },
    cancel: onCancel,
  })
  return new Response(body)
}

t.test('asks for JSON, follows nothing, and answers the parsed document', async (t) => {
  const document = await load((init) => {
    t.equal(init.redirect, 'manual')
    t.same(init.headers, { accept: 'application/json' })
    return Response.json({ keys: [] })
  })
  t.same(document, { keys: [] })
})

const failures: [string, () => unknown, JwksErrorCode, Partial<JwksError>][] = [
  ['refused', refused, 'ERR_JWKS_NETWORK', { errno: 'ECONNREFUSED' }],
  [
    'a cause without a code',
    () => {
      throw new TypeError('secret')
    },
    'ERR_JWKS_NETWORK',
    {},
  ],
  [
    'a thrown null',
    () => {
      throw null
    },
    'ERR_JWKS_NETWORK',
    {},
  ],
  [
    'a code that is no errno',
    () => {
      throw Object.assign(new Error('x'), { cause: { code: 'a sentence, perhaps secret' } })
    },
    'ERR_JWKS_NETWORK',
    { errno: undefined },
  ],
  [
    'a redirect',
    status(302, { location: 'http://10.0.0.1/' }),
    'ERR_JWKS_REDIRECT',
    { status: 302 },
  ],
  ['304', () => new Response(null, { status: 304 }), 'ERR_JWKS_REDIRECT', { status: 304 }],
  [
    'a fetch that followed a redirect',
    () => Object.defineProperty(Response.json({}), 'redirected', { value: true }),
    'ERR_JWKS_REDIRECT',
    {},
  ],
  [
    'a fetch that hides a redirect',
    () => Object.defineProperty(Response.json({}), 'type', { value: 'opaqueredirect' }),
    'ERR_JWKS_REDIRECT',
    {},
  ],
  ['500', status(500), 'ERR_JWKS_STATUS', { status: 500, retryAfter: undefined }],
  ['204', () => new Response(null, { status: 204 }), 'ERR_JWKS_STATUS', { status: 204 }],
  [
    '503 with seconds',
    status(503, { 'retry-after': '7' }),
    'ERR_JWKS_STATUS',
    { status: 503, retryAfter: 7 },
  ],
  [
    '429 with a date',
    status(429, { 'retry-after': 'Mon, 01 Jan 2024 00:00:09 GMT' }),
    'ERR_JWKS_STATUS',
    { retryAfter: 9 },
  ],
  [
    'a date in the past',
    status(503, { 'retry-after': 'Sun, 31 Dec 2023 00:00:00 GMT' }),
    'ERR_JWKS_STATUS',
    { retryAfter: 0 },
  ],
  [
    'an absurd Retry-After',
    status(503, { 'retry-after': 'soon' }),
    'ERR_JWKS_STATUS',
    { retryAfter: undefined },
  ],
  ['what is not JSON', () => new Response('<html>secret</html>'), 'ERR_JWKS_INVALID', {}],
  ['an empty answer', () => new Response(null), 'ERR_JWKS_INVALID', {}],
  ['a truncated document', () => new Response('{"keys":['), 'ERR_JWKS_INVALID', {}],
  [
    'a body that breaks off',
    () =>
      new Response(
        new ReadableStream({
          pull() {
            throw Object.assign(new Error('reset'), { cause: { code: 'ECONNRESET' } })
          },
        }),
      ),
    'ERR_JWKS_NETWORK',
    { errno: 'ECONNRESET' },
  ],
]

for (const [name, fetch, code, facts] of failures) {
  t.test(`${name}: ${code}, without foreign text`, async (t) => {
    const error = await failure(load(fetch))
    t.equal(error.code, code)
    t.match(error, facts)
    t.notMatch(`${error.message}${error.stack}${JSON.stringify(error)}`, /secret|10\.|example/)
    t.equal(error.cause, undefined)
  })
}

t.test(
  '256 KiB pass, one byte more is rejected with the count, and the rest is let go',
  async (t) => {
    const limit = 256 * 1024
    t.same(await load(() => streamed(['{}', ' '.repeat(limit - 2)])), {})
    let cancelled = false
    function* endless(): Generator<string> {
      for (;;) yield ' '.repeat(64 * 1024)
    }
    const error = await failure(
      load(() =>
        streamed(endless(), () => {
          cancelled = true
        }),
      ),
    )
    t.equal(error.code, 'ERR_JWKS_TOO_LARGE')
    t.equal(error.bytes, limit + 64 * 1024)
    t.ok(cancelled)
  },
)

t.test('a compressed bomb is counted as it unfolds', async (t) => {
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, 0x20))
  t.ok(bomb.byteLength < 256 * 1024)
  const error = await failure(
    load(
      () => new Response(new Blob([bomb]).stream().pipeThrough(new DecompressionStream('gzip'))),
    ),
  )
  t.equal(error.code, 'ERR_JWKS_TOO_LARGE')
})

t.test('the limit on time holds around a fetch that ignores its signal', async (t) => {
  const error = await failure(load(hang, { timeout: 5 }))
  t.equal(error.code, 'ERR_JWKS_TIMEOUT')
})

t.test('the limit on time covers a body that drips', async (t) => {
  let seen: AbortSignal | null | undefined
  const error = await failure(
    load(
      (init) => {
        seen = init.signal
        return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
      },
      { timeout: 5 },
    ),
  )
  t.equal(error.code, 'ERR_JWKS_TIMEOUT')
  t.equal(seen?.aborted, true)
})

t.test('closing ends a fetch', async (t) => {
  const closing = new AbortController()
  const ended = failure(load(hang, { signal: closing.signal }))
  closing.abort()
  t.equal((await ended).code, 'ERR_JWKS_CLOSED')
})
