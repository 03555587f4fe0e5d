/**
 * Run as a separate process: a token client over Redis that requests one token.
 *
 * `node client-process.ts <settings as JSON>`
 */
import { Redis } from 'ioredis'
import { createTokenClient, redisStore } from '../../src/tokens/client/index.ts'
import { COMMAND_TIMEOUT_MS } from '../../src/tokens/store/store-caller.ts'
import { RealLimit } from './real-limit.ts'

/** What the parent hands over. */
export interface ClientSettings {
  readonly tokenEndpoint: string
  readonly redisUrl: string
}

// However busy the machine is, Redis is not too slow for this process.
new RealLimit(COMMAND_TIMEOUT_MS, 10_000).lengthen()
const { tokenEndpoint, redisUrl }: ClientSettings = JSON.parse(process.argv[2] as string)
const redis = new Redis(redisUrl, { lazyConnect: true })
const client = createTokenClient({
  tokenEndpoint,
  clientId: 'billing',
  clientSecret: 'secret',
  store: redisStore({ redis }),
})
await client.getToken()
