/** The token proxy as a function, as apps create it: compiled, never run. */
import {
  createTokenProxyHandler,
  memoryStore,
  type TokenProxyEvent,
  type TokenProxyHandler,
  type TokenProxyHandlerOptions,
} from '../../src/tokens/proxy/lambda.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const tokenEndpoint = 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token'
const handler = createTokenProxyHandler({
  tokenEndpoint,
  store: memoryStore(),
  logger: console,
  authorize: (event) => {
    same<typeof event, TokenProxyEvent>(true)
    return event.requestContext.http.sourceIp === '127.0.0.1'
  },
  clients: async (clientId) => clientId === 'a',
  headers: { 'x-a': async () => 'b' },
})
same<typeof handler, TokenProxyHandler>(true)
createTokenProxyHandler({ tokenEndpoint: [tokenEndpoint, 'https://b.example/token'] })
createTokenProxyHandler({ userPoolsApi: { region: 'eu-west-1' } })

declare const options: TokenProxyHandlerOptions
createTokenProxyHandler(options)
createTokenProxyHandler({ ...options, tokenEndpoint })

// @ts-expect-error neither API: 'Pass tokenEndpoint or userPoolsApi'
createTokenProxyHandler({})
// @ts-expect-error neither API: 'Pass tokenEndpoint or userPoolsApi'
createTokenProxyHandler({ clients: 'a' })
// @ts-expect-error 'Pass tokenEndpoint or userPoolsApi, not both'
createTokenProxyHandler({ tokenEndpoint, userPoolsApi: { region: 'eu-west-1' } })
// @ts-expect-error "A token proxy has no option 'prefix'"
createTokenProxyHandler({ tokenEndpoint, prefix: '/' })
// @ts-expect-error a verdict is a boolean
createTokenProxyHandler({ tokenEndpoint, authorize: () => 'yes' })
