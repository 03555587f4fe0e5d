import { getEventListeners } from 'node:events'
import t from 'tap'
import {
  type FetchJwksOptions,
  fetchJwks,
  JwksError,
  type JwksErrorCode,
} from '../../../src/core/keys/fetch-jwks.ts'
import { type Answer, good, refused, status } from '../../support/key-endpoint.ts'

function load(answer: Answer, signal = new AbortController().signal): Promise<unknown> {
  const fetch = (async () => answer()) as FetchJwksOptions['fetch']
  const options = { fetch, timeoutMs: 3000, signal, now: () => 1_700_000_000_000 }
  return fetchJwks('https://pool.example/jwks.json', options)
}

async function failure(answer: Answer): Promise<JwksError> {
  const error = await load(answer).catch((reason: unknown) => reason)
  if (!(error instanceof JwksError)) throw new Error('expected a JwksError')
  return error
}

const said: Readonly<Record<JwksErrorCode, RegExp>> = {
  ERR_JWKS_TIMEOUT: /not delivered in time$/,
  ERR_JWKS_NETWORK: /could not be fetched$/,
  ERR_JWKS_REDIRECT: /redirects, which is not followed$/,
  ERR_JWKS_STATUS: /answered with an error status$/,
  ERR_JWKS_TOO_LARGE: /is too large$/,
  ERR_JWKS_INVALID: /is not JSON$/,
  ERR_JWKS_NO_USABLE_KEY: /holds no usable key$/,
  ERR_JWKS_CLOSED: /was closed$/,
}

t.test('each code says what happened', async (t) => {
  for (const [code, message] of Object.entries(said)) {
    const error = new JwksError(code as JwksErrorCode)
    t.match(error, { name: 'JwksError', code, message })
  }
})

t.test('redirects are the 300s, all of them and no others', async (t) => {
  for (const [code, expected] of [
    [300, 'ERR_JWKS_REDIRECT'],
    [399, 'ERR_JWKS_REDIRECT'],
    [400, 'ERR_JWKS_STATUS'],
    [299, 'ERR_JWKS_STATUS'],
  ] as const) {
    const { code: answered, status: told } = await failure(status(code))
    t.equal(answered, expected, `${code}`)
    t.equal(told, code)
  }
})

t.test('Retry-After is read whatever its length', async (t) => {
  for (const seconds of [0, 7, 30, 120]) {
    const error = await failure(status(503, { 'retry-after': String(seconds) }))
    t.equal(error.retryAfter, seconds)
  }
})

t.test('a code of the transport that may be foreign text is left out', async (t) => {
  const codes = ['secret ECONNRESET', 'ECONNRESET secret', 'ECONNRESET\n', ['ECONNRESET']]
  for (const code of [...codes, 'econnreset', 'E', 5, null]) {
    const { errno } = await failure(() => {
      throw Object.assign(new Error('x'), { cause: { code } })
    })
    t.equal(errno, undefined, JSON.stringify(code))
  }
})

t.test('a fetch leaves no abort listener', async (t) => {
  const { signal } = new AbortController()
  await load(good('a'), signal)
  await load(refused, signal).catch(() => {})
  t.equal(getEventListeners(signal, 'abort').length, 0)
})
