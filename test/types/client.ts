/** What the token client takes and gives: compiled, never run. */

import { DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createClient } from 'redis'
import type { ClientTokenEvent, DiagnosticsEvents } from '../../src/index.ts'
import {
  type AccessToken,
  createTokenClient,
  dynamoDbStore,
  memoryStore,
  redisStore,
  type ScopeSetStatus,
  type StoreStatus,
  type TokenClient,
  TokenClientError,
  type TokenClientErrorCode,
  type TokenClientOptions,
  type TokenClientStatus,
  type TokenRegion,
  type TokenRequestFailure,
} from '../../src/tokens/client/index.ts'
import { createUsage } from '../../src/tokens/usage/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const required = { tokenEndpoint: 'https://a.example/oauth2/token', clientId: 'a' }
const client = createTokenClient({ ...required, clientSecret: 'a' })
same<typeof client, TokenClient>(true)
same<Awaited<ReturnType<typeof client.getToken>>, AccessToken>(true)
same<Awaited<ReturnType<typeof client.renew>>, AccessToken>(true)
same<Awaited<ReturnType<typeof client.fetch>>, Response>(true)
same<AccessToken['expiresAt'], number>(true)
same<AccessToken['scopes'], readonly string[]>(true)

createTokenClient({ ...required, clientSecret: () => 'a', store: memoryStore() })
createTokenClient({
  ...required,
  clientSecret: async () => 'a',
  authMethod: 'client_secret_post',
  scopes: ['a/b'] as const,
  origins: ['https://api.example.com'] as const,
  logger: console,
  fetch,
  now: Date.now,
  timeout: 5,
})
client.getToken({ scopes: 'a/b' })
client.getToken({ scopes: ['a/b', 'a/c'] as const })
client.fetch(new URL('https://api.example.com'), { method: 'POST' }, { scopes: 'a/b' })

client.getToken({ scopes: 'a/b', timeout: 2, signal: AbortSignal.timeout(60_000) })
client.fetch('https://api.example.com', {}, { timeout: 2 })

const status = client.status()
same<typeof status, TokenClientStatus>(true)
same<(typeof status.scopeSets)[number], ScopeSetStatus>(true)
same<ScopeSetStatus['lastError'], TokenRequestFailure | null>(true)
same<TokenRequestFailure['code'], TokenClientErrorCode>(true)
same<ScopeSetStatus['cachedUntil'], number | null>(true)
same<ScopeSetStatus['nextAttempt'], number | null>(true)
same<TokenClientStatus['store'], StoreStatus | null>(true)
same<TokenClientStatus['region'], TokenRegion>(true)
same<DiagnosticsEvents['cognito-m2m:client-token'], ClientTokenEvent>(true)
// @ts-expect-error a snapshot
status.scopeSets[0].cachedUntil = 0
// @ts-expect-error a client is no source of usage: what issued its tokens is
createUsage({ price: null }).attach(client)
// @ts-expect-error the signal of fetch is in init
client.fetch('https://api.example.com', {}, { signal: AbortSignal.timeout(60_000) })
// @ts-expect-error seconds
client.getToken({ timeout: '2' })
// @ts-expect-error clientSecret has to be said
createTokenClient(required)
// @ts-expect-error a function tells a string
createTokenClient({ ...required, clientSecret: () => 7 })
// @ts-expect-error one of two methods
createTokenClient({ ...required, clientSecret: 'a', authMethod: 'private_key_jwt' })
createTokenClient({ userPoolsApi: { region: 'eu-west-1' }, clientId: 'a', clientSecret: 'a' })
createTokenClient({
  tokenEndpoint: ['https://a.example/oauth2/token', 'https://b.example/oauth2/token'],
  clientId: 'a',
  clientSecret: 'a',
})
createTokenClient({
  userPoolsApi: [{ region: 'eu-west-1' }, { endpoint: 'https://a.example' }],
  clientId: 'a',
  clientSecret: 'a',
})
export function override(
  options: Partial<TokenClientOptions>,
  all: TokenClientOptions,
  api: Pick<TokenClientOptions, 'tokenEndpoint'> | Pick<TokenClientOptions, 'userPoolsApi'>,
): void {
  createTokenClient({ ...required, clientSecret: 'a', ...options })
  createTokenClient({ ...api, clientId: 'a', clientSecret: 'a' })
  createTokenClient(all)
}
// @ts-expect-error neither API
createTokenClient({ clientId: 'a', clientSecret: 'a' })
// @ts-expect-error both APIs
createTokenClient({ ...required, clientSecret: 'a', userPoolsApi: { region: 'eu-west-1' } })
// @ts-expect-error unknown option
createTokenClient({ ...required, clientSecret: 'a', scope: 'a/b' })
// @ts-expect-error three Regions
createTokenClient({ tokenEndpoint: ['a', 'b', 'c'], clientId: 'a', clientSecret: 'a' })
// @ts-expect-error undefined is no way to leave an option out
createTokenClient({ ...required, clientSecret: 'a', scopes: undefined })
// @ts-expect-error origins are an array
createTokenClient({ ...required, clientSecret: 'a', origins: 'https://api.example.com' })
// @ts-expect-error it is called scopes
client.getToken({ scope: 'a/b' })
// @ts-expect-error a store, not a client of Redis
createTokenClient({ ...required, clientSecret: 'a', store: {} })
dynamoDbStore({ client: new DynamoDB({}), tableName: 'tokens' })
redisStore({ redis: createClient() })
// @ts-expect-error the client without methods for commands
dynamoDbStore({ client: new DynamoDBClient({}), tableName: 'tokens' })
// @ts-expect-error ioredis, or what is like it
redisStore({ redis: {} })

export async function told(): Promise<string | undefined> {
  try {
    const token = await client.getToken()
    // @ts-expect-error frozen
    token.accessToken = ''
    // @ts-expect-error frozen
    token.scopes.push('a/b')
  } catch (error) {
    if (!(error instanceof TokenClientError)) throw error
    same<typeof error.code, TokenClientErrorCode>(true)
    return error.requestId
  }
  return undefined
}

export function meaning(error: TokenClientError): string {
  switch (error.code) {
    case 'ERR_TOKEN_REQUEST_REFUSED':
      return error.error ?? 'refused'
    case 'ERR_TOKEN_REQUEST_TIMEOUT':
    case 'ERR_TOKEN_REQUEST_NETWORK':
    case 'ERR_TOKEN_REQUEST_STATUS':
    case 'ERR_TOKEN_RESPONSE_REDIRECT':
    case 'ERR_TOKEN_RESPONSE_TOO_LARGE':
    case 'ERR_TOKEN_RESPONSE_INVALID':
    case 'ERR_TOKEN_TIMEOUT':
    case 'ERR_CLIENT_SECRET_UNAVAILABLE':
    case 'ERR_CLIENT_CLOSED':
    case 'ERR_FETCH_ORIGIN':
    case 'ERR_FETCH_AUTHORIZATION':
    case 'ERR_FETCH_REDIRECT':
      return error.code
  }
}
