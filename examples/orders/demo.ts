/** `npm run demo`: the whole story by itself, each step over real HTTP, as a table. */
import { createTestUserPool, type LocalUserPool } from 'cognito-m2m/testing'
import { createOrdersApi } from './app.js'
import { startOrdersPool } from './pool.js'

interface Step {
  readonly story: string
  readonly expected: string
  readonly answered: string
}

/** Gets a token as a caller does: from the token endpoint, with the client's secret. */
async function requestToken(pool: LocalUserPool, clientId: string): Promise<string> {
  const secret = pool.clients.find((client) => client.clientId === clientId)?.clientSecrets[0]
  const response = await fetch(pool.tokenEndpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  })
  const { access_token } = (await response.json()) as { access_token: string }
  return access_token
}

async function tell(api: string, pool: LocalUserPool, passTime: () => void): Promise<Step[]> {
  const steps: Step[] = []
  const step = async (
    story: string,
    expected: string,
    token: string | null,
    { method = 'GET', path = '/orders', body = null as string | null } = {},
  ): Promise<void> => {
    const headers: Record<string, string> = {}
    if (token !== null) headers['authorization'] = `Bearer ${token}`
    if (body !== null) headers['content-type'] = 'application/json'
    const response = await fetch(api + path, { method, headers, body })
    const { code } = response.ok ? { code: '' } : ((await response.json()) as { code: string })
    steps.push({ story, expected, answered: `${response.status} ${code}`.trim() })
  }
  const order = { method: 'POST', body: '{"item":"Tea"}' }
  const stranger = createTestUserPool()
  const reader = await requestToken(pool, 'reporting')
  const writer = await requestToken(pool, 'web-shop')

  await step('no token', '401 ERR_TOKEN_MISSING', null)
  await step('garbage', '401 ERR_TOKEN_INVALID', 'garbage')
  await step('expired', '401 ERR_TOKEN_EXPIRED', pool.tampered.expired())
  await step('wrong scope', '403 ERR_SCOPE_INSUFFICIENT', reader, order)
  await step('right scope', '201', writer, order)
  await step('other pool', '401 ERR_TOKEN_ISSUER', stranger.accessToken())
  await step('ID token', '401 ERR_TOKEN_USE', pool.idToken())

  pool.rotateKeys({ keepOld: true })
  await step('rotated key, at its first use', '200', await requestToken(pool, 'reporting'))
  await step('old key, still published', '200', reader)
  pool.rotateKeys({ keepOld: false })
  const newest = await requestToken(pool, 'reporting')
  await step('newest key, the others removed', '200', newest)
  await step('removed key', '401 ERR_KEY_UNKNOWN', reader)

  await pool.setJwksFault('refuse')
  passTime()
  await step('JWKS outage, known key', '200', newest)
  pool.rotateKeys({ keepOld: true })
  await step('JWKS outage, new key', '503 ERR_KEYS_UNAVAILABLE', pool.accessToken())
  await pool.setJwksFault(null)
  passTime()
  await step('JWKS back, new key', '200', pool.accessToken())
  return steps
}

const pool = await startOrdersPool()
// The demo does not wait for intervals and backoff: it moves the clock they are counted on.
let passed = 0
const app = await createOrdersApi({
  ...pool.options(),
  monotonicNow: () => performance.now() + passed,
})
const api = await app.listen({ host: '127.0.0.1', port: 0 })
try {
  const steps = await tell(api, pool, () => {
    passed += 60_000
  })
  const rows = steps.map(({ story, expected, answered }) => ({
    story,
    answered,
    'as expected': answered === expected,
  }))
  // biome-ignore lint/suspicious/noConsole: a table for people is what this program is for
  console.table(rows)
  if (rows.some((row) => !row['as expected'])) process.exitCode = 1
} finally {
  await app.close()
  await pool.close()
}
