/**
 * Runs one compiled snippet: `node run-snippet.mjs FILE`. Cognito and the APIs that snippets call are
 * answered in this process; nothing leaves the machine. Fails if the snippet throws or rejects, if a
 * Fastify app that it makes does not start, or if it fetches anything else.
 */
import { subscribe } from 'node:diagnostics_channel'
import dns from 'node:dns'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [, , file] = process.argv
const code = readFileSync(file, 'utf8')

Object.assign(process.env, {
  CLIENT_SECRET: 'secret',
  DASHBOARD_PASSWORD: 'a long password',
  REDIS_PASSWORD: 'password',
  ...Object.fromEntries(
    ['TOKEN_KEY_NEW', 'TOKEN_KEY_OLD', 'TOKEN_STORE_KEY'].map((name, index) => [
      name,
      Buffer.alloc(32, index + 1).toString('base64'),
    ]),
  ),
})

/** Keys are made where a snippet asks for them: that takes longer than all the rest. */
async function keySetOf(userPoolId) {
  const { createTestUserPool } = await import('cognito-m2m/testing')
  return createTestUserPool({ userPoolId }).jwks()
}

if (/\bbundled\b/.test(code)) globalThis.bundled = await keySetOf('eu-west-1_AbCdEfGhI')
/** What else snippets only declare, as it is the reader's own. */
Object.assign(globalThis, {
  fromSecretsManager: () => async () => 'secret',
  isEngineer: async () => true,
  currentWafSecret: async () => 'waf',
})

const network = globalThis.fetch
globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input)
  if (['127.0.0.1', 'localhost'].includes(url.hostname)) return network(input, init)
  if (/^cognito-idp\.[\w-]+\.amazonaws\.com$/.test(url.hostname)) {
    return Response.json(await keySetOf(url.pathname.split('/')[1]))
  }
  if (url.hostname.endsWith('.amazoncognito.com') && url.pathname === '/oauth2/token') {
    return Response.json({ access_token: 'token', expires_in: 3600, token_type: 'Bearer' })
  }
  if (url.hostname === 'orders.example.com') return Response.json([])
  throw fail(new Error(`nothing answers ${url.origin}`))
}

// Redis and anything else that needs a name is away.
const { lookup } = dns
dns.lookup = (name, options, callback = options) => {
  if (['127.0.0.1', '0.0.0.0', 'localhost'].includes(name)) return lookup(name, options, callback)
  const error = Object.assign(new Error(`${name} is not looked up here`), { code: 'ENOTFOUND' })
  process.nextTick(callback, error)
}

/** Whatever the snippet makes of it, this run has failed. */
function fail(error) {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
  return error
}

const apps = []
subscribe('fastify.initialization', ({ fastify }) => void apps.push(fastify))

await import(pathToFileURL(file).href)
for (const app of apps) await app.ready()
// node:test ends its process itself, once its tests have run. Others may listen, or keep connections.
if (!/from 'node:test'/.test(code)) {
  // Promises that nobody awaits have rejected by then.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  process.exit()
}
