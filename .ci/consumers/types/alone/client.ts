/** The token client, its stores and its fetch. */
import {
  type AccessToken,
  createTokenClient,
  memoryStore,
  type redisStore,
} from 'cognito-m2m/client'

const client = createTokenClient({
  tokenEndpoint: 'https://a/oauth2/token',
  clientId: 'a',
  clientSecret: async () => 'a',
  store: memoryStore(),
})
export const token: Promise<AccessToken> = client.getToken({ scopes: 'a/b' })
export const answer: Promise<Response> = client.fetch('https://a.example', { method: 'POST' })
export type Redis = Parameters<typeof redisStore>[0]
// @ts-expect-error clientSecret is required
createTokenClient({ tokenEndpoint: 'https://a/oauth2/token', clientId: 'a' })
