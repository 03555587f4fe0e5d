/** Log of token requests of a local pool: the format of CloudTrail, without secrets. */
import t, { type Test } from 'tap'
import { type LocalUserPoolOptions, startUserPool } from '../../../src/testing/index.ts'
import { ask, FORM } from '../../support/http.ts'

const NOW = Date.parse('2026-03-01T10:20:30.987Z')
const SECRET = 's3cr3t-of-billing'
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function start(test: Test, options: LocalUserPoolOptions = {}) {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: [SECRET], scopes: ['orders/read'] }],
    now: () => NOW,
    ...options,
  })
  test.teardown(() => pool.close())
  const post = (body: string, headers: Record<string, string> = {}) =>
    ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM, 'user-agent': 'batch/1.0', ...headers },
      body,
    })
  const parameters = () => pool.events().at(-1)?.additionalEventData.requestParameters
  return { pool, post, parameters }
}

t.test('a token request is told field for field as CloudTrail does', async (t) => {
  const told: unknown[] = []
  const { pool, post } = await start(t, { onEvent: (event) => told.push(event) })
  const form = { grant_type: 'client_credentials', client_id: 'billing', scope: 'orders/read' }
  const body = new URLSearchParams({ ...form, client_secret: SECRET }).toString()
  const { status, headers } = await post(body)
  t.equal(status, 200)
  const [event] = pool.events()
  t.match(event?.eventID, UUID)
  t.strictSame(event, {
    eventVersion: '1.08',
    userIdentity: { accountId: '000000000000' },
    eventTime: '2026-03-01T10:20:30Z',
    eventSource: 'cognito-idp.amazonaws.com',
    eventName: 'Token_POST',
    awsRegion: 'xx-local-1',
    sourceIPAddress: '127.0.0.1',
    userAgent: 'batch/1.0',
    requestParameters: null,
    responseElements: null,
    additionalEventData: {
      responseParameters: { status: 200 },
      requestParameters: {
        grant_type: ['client_credentials'],
        client_id: ['billing'],
        scope: ['orders/read'],
        client_secret: [HIDDEN],
      },
      userPoolDomain: `127.0.0.1:${pool.port}`,
      userPoolId: pool.userPoolId,
    },
    requestID: headers['x-amz-cognito-request-id'],
    eventID: event?.eventID,
    readOnly: false,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: '000000000000',
    serviceEventDetails: { serviceAccountId: '000000000000' },
    eventCategory: 'Management',
  })
  t.strictSame(told, [event])
})

t.test('who proves itself in a header is named; who does not, is not', async (t) => {
  const { pool, post, parameters } = await start(t)
  const basic = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`billing:${secret}`).toString('base64')}`,
  })
  await post('grant_type=client_credentials', basic(SECRET))
  t.strictSame(parameters(), { grant_type: ['client_credentials'], client_id: ['billing'] })
  await post('grant_type=client_credentials', basic('guess'))
  t.strictSame(parameters(), { grant_type: ['client_credentials'] })
  t.equal(pool.events().at(-1)?.additionalEventData.responseParameters.status, 400)
})

t.test('no secret is told, wherever it was sent', async (t) => {
  const { pool, post, parameters } = await start(t)
  const everywhere = new URLSearchParams({
    grant_type: SECRET,
    client_id: `x${SECRET}`,
    scope: `orders/read ${SECRET}`,
    client_secret: 'guess',
    aws_client_metadata: `{"a":"${SECRET}"}`,
    refresh_token: 'r',
    [SECRET]: 'a',
    anything: SECRET,
  })
  const { text } = await post(everywhere.toString(), { 'user-agent': `curl/${SECRET}` })
  t.equal(text, '{"error":"unsupported_grant_type"}')
  t.strictSame(parameters(), {
    grant_type: [HIDDEN],
    client_id: [HIDDEN],
    scope: [HIDDEN],
    client_secret: [HIDDEN],
    aws_client_metadata: [HIDDEN],
    refresh_token: [HIDDEN],
  })
  t.notMatch(JSON.stringify(pool.events()), SECRET)
})

t.test('what cannot be read is told without parameters, long ones are cut', async (t) => {
  const { post, parameters, pool } = await start(t, { quota: 3, monotonicNow: () => 0 })
  await post('grant_type=a&grant_type=b')
  t.strictSame(parameters(), {})
  await post(`grant_type=client_credentials&client_id=${'x'.repeat(5000)}`)
  t.equal(parameters()?.['client_id']?.[0]?.length, 1024)
  await post('x', { 'content-type': 'text/plain' })
  t.strictSame(parameters(), {})
  await post('grant_type=client_credentials')
  t.equal(pool.events().at(-1)?.additionalEventData.responseParameters.status, 429)
})

t.test('only POST is a token request', async (t) => {
  const { pool } = await start(t)
  t.equal((await ask(pool.port, { path: '/oauth2/token' })).status, 405)
  t.strictSame(pool.events(), [])
})

t.test('the last 1,000 are kept', async (t) => {
  const { pool, post } = await start(t, { quota: false })
  await post('grant_type=first')
  for (let index = 0; index < 1000; index += 1) await post('grant_type=x')
  t.equal(pool.events().length, 1000)
  t.notMatch(JSON.stringify(pool.events()), 'first')
})

t.test('a callback that throws costs nobody a token', async (t) => {
  const { pool, post } = await start(t, {
    onEvent: () => {
      throw new Error('the disk is full')
    },
  })
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'billing',
    client_secret: SECRET,
  })
  t.equal((await post(body.toString())).status, 200)
  t.equal(pool.events().length, 1)
})

t.test('a request without a User-Agent is told with none', async (t) => {
  const { pool } = await start(t)
  const headers = { 'content-type': FORM }
  await ask(pool.port, { method: 'POST', path: '/oauth2/token', headers, body: 'a=b' })
  t.equal(pool.events()[0]?.userAgent, '')
})
