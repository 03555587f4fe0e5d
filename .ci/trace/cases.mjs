/** What is traced: each case warms up, then does one thing. */
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { runProgram } from '../../src/cli/program.ts'
import { memoryStore, tokenProxy } from '../../src/tokens/proxy/index.ts'

const FORM = 'application/x-www-form-urlencoded'
const TEMPLATES = ['auth.yaml', 'api.yaml'].map((it) => `examples/drift/sam/clean/${it}`)

async function fetchToken(tokenEndpoint, form) {
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { 'content-type': FORM },
    body: form,
  })
  return (await response.json()).access_token
}

async function openApi(options) {
  const app = Fastify()
  await app.register(cognitoAuth, options)
  app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => ({
    caller: request.auth.clientId,
  }))
  return app
}

async function get(app, token) {
  const headers = { authorization: `Bearer ${token}` }
  const { statusCode, body } = await app.inject({ url: '/orders', headers })
  assert.equal(statusCode, 200, body)
}

async function warmRequest({ options, tokenEndpoint, forms }, during) {
  const app = await openApi(options)
  const token = await fetchToken(tokenEndpoint, forms[0])
  for (let call = 0; call < 3; call += 1) await get(app, token)
  const files = await during(() => get(app, token))
  await app.close()
  return files
}

async function coldRequest({ options, tokenEndpoint, forms }, during) {
  const app = await openApi(options)
  const tokens = await Promise.all(forms.map((form) => fetchToken(tokenEndpoint, form)))
  const last = tokens.pop()
  for (const token of tokens) await get(app, token)
  const files = await during(() => get(app, last))
  await app.close()
  return files
}

async function proxyMiss({ tokenEndpoint, forms }, during) {
  const app = Fastify()
  await app.register(tokenProxy, { tokenEndpoint, store: memoryStore() })
  const post = async (payload) => {
    const headers = { 'content-type': FORM }
    const request = { method: 'POST', url: '/oauth2/token', headers, payload }
    const { statusCode, body } = await app.inject(request)
    assert.equal(statusCode, 200, body)
  }
  const [last, ...others] = forms
  for (const form of others) await post(form)
  const files = await during(() => post(last))
  await app.close()
  return files
}

async function checkTemplates(_pool, during) {
  const terminal = {
    out: () => {},
    err: () => {},
    colors: false,
    width: 80,
    env: {},
    signal: new AbortController().signal,
  }
  const check = async () => {
    assert.equal(await runProgram(['check', ...TEMPLATES], terminal, () => {}), 0)
  }
  await check()
  return await during(check)
}

/**
 * `limit` is the most files that may run. Lower it when a path gets shorter. The caller of the proxy miss sends its
 * credentials in the form; with a Basic header, `core/token/bearer.ts` runs too.
 */
export const CASES = [
  { name: 'warm Fastify request', limit: 8, run: warmRequest },
  { name: 'cold Fastify request', limit: 14, run: coldRequest },
  { name: 'proxy miss', limit: 14, run: proxyMiss },
  { name: 'check of SAM templates', limit: 42, run: checkTemplates },
]
