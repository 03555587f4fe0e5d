/** Replaces side effects of a module at load time: requests for keys, and servers on other ports. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:net'

/** Path of the key set of a pool. */
const JWKS_PATH = /\/\.well-known\/jwks\.json$/

/**
 * Creates a transport that responds to key set requests itself. An app that requires keys starts, without
 * a request to Cognito. The private key does not exist.
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

/** Makes every server listen on a free port of loopback, because its configured port may be in use. */
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
