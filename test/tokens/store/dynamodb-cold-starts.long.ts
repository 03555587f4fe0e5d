/** Acceptance: cold processes over one table send one token request per client and scope set. */
import t, { type Test } from 'tap'
import { startUserPool } from '../../../src/testing/index.ts'
import { createTokenClient, dynamoDbStore } from '../../../src/tokens/client/index.ts'
import { DOWN_AFTER_MS } from '../../../src/tokens/store/circuit-breaker.ts'
import { type DynamoDbServer, startDynamoDb, TABLE } from '../../support/dynamodb.ts'
import { RealLimit } from '../../support/real-limit.ts'

const PROCESSES = 200
/** Those that start at the same time: they share a processor with DynamoDB here. */
const AT_ONCE = 10

/** What a cold process waits for the store: kept while DynamoDB fails, else no machine is so busy. */
const stallLimit = new RealLimit(DOWN_AFTER_MS, 20_000)
const SCOPE_SETS = ['orders/read', 'orders/write']
const CLIENTS = ['billing', 'shipping']

async function setUp(t: Test) {
  const dynamoDb = await startDynamoDb(t)
  const pool = await startUserPool({
    clients: CLIENTS.map((clientId) => {
      return { clientId, clientSecrets: [`${clientId}-secret`], scopes: SCOPE_SETS }
    }),
  })
  t.teardown(() => pool.close())
  return { dynamoDb, tokenEndpoint: pool.tokenEndpoint }
}

/** The tokens that one cold process gets: its clients, store and connections are its own. */
async function runProcess(
  dynamoDb: DynamoDbServer,
  options: {
    readonly tokenEndpoint: string
    readonly fetch: typeof fetch
    readonly monotonicNow: () => number
  },
): Promise<string[]> {
  const tokens: string[] = []
  for (const clientId of CLIENTS) {
    const store = dynamoDbStore({ client: dynamoDb.createClient(), tableName: TABLE })
    const client = createTokenClient({
      ...options,
      clientId,
      clientSecret: `${clientId}-secret`,
      store,
    })
    for (const scopes of SCOPE_SETS) tokens.push((await client.getToken({ scopes })).accessToken)
    client.close()
    await store.close()
  }
  return tokens
}

for (const fault of [{ exception: 'ThrottlingException' }, 'hangs', 'is down'] as const) {
  t.test(`no caller sees an error while DynamoDB fails: ${JSON.stringify(fault)}`, async (t) => {
    const { dynamoDb, tokenEndpoint } = await setUp(t)
    dynamoDb.fault = fault
    stallLimit.shorten()
    const options = { tokenEndpoint, fetch, monotonicNow: () => performance.now() }
    const started = Array.from({ length: 10 }, () => runProcess(dynamoDb, options))
    for (const tokens of await Promise.all(started)) t.equal(tokens.length, 4)
  })
}

t.test(`${PROCESSES} cold processes send one request per client and scope set`, async (t) => {
  const { dynamoDb, tokenEndpoint } = await setUp(t)
  let requests = 0
  const countingFetch: typeof fetch = (...args) => {
    requests += 1
    return fetch(...args)
  }
  stallLimit.lengthen()
  // Time that stands still for the store's circuit breaker: the processes share a processor with DynamoDB.
  const options = { tokenEndpoint, fetch: countingFetch, monotonicNow: () => 0 }
  const tokens: string[][] = []
  const start = async (): Promise<void> => {
    for (let left = PROCESSES / AT_ONCE; left > 0; left -= 1)
      tokens.push(await runProcess(dynamoDb, options))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, start))
  t.equal(tokens.length, PROCESSES)
  t.equal(requests, CLIENTS.length * SCOPE_SETS.length)
  for (const one of tokens) t.strictSame(one, tokens[0], 'all have the same tokens')
})
