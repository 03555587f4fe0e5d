/** What a module does at load time and must not do here: ask Cognito for keys, be reached by others. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:net'

/** Where pools keep their key set. */
const JWKS_PATH = /\/\.well-known\/jwks\.json$/

/**
 * A transport that answers for key sets by itself: an app that insists on keys starts, and nothing leaves
 * the machine. Nobody knows the private half of the key.
 */
export function stubJwksFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  const modulus = randomBytes(256)
  modulus[0] = 0xff
  modulus[255] = 0xff
  const key = { kid: 'none', kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB' }
  const keySet = { keys: [{ ...key, n: modulus.toString('base64url') }] }
  return async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    return JWKS_PATH.test(pathname) ? Response.json(keySet) : fetch(input, init)
  }
}

/** Makes every server listen on a free port of loopback, whatever it is told: its own may be taken. */
export function listenOnEphemeralPort(
  server: { listen: Server['listen'] },
  listened: () => void,
): void {
  const { listen } = server
  server.listen = function (this: Server, ...args: unknown[]) {
    listened()
    const callback = args.find((arg) => typeof arg === 'function')
    return listen.call(this, { port: 0, host: '127.0.0.1' }, callback as (() => void) | undefined)
  } as Server['listen']
}
