/**
 * Another server on loopback with the valid key set of the pool. Code that follows a redirect there, or
 * trusts its certificate, would get keys and accept tokens.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { LocalUserPool } from '../../../src/testing/index.ts'
import { keyPair } from '../../support/forge.ts'
import { certificateOf } from '../hostile/certificate.ts'

/** Requests to any redirect target of this process: it stays empty. */
export const lured: string[] = []

interface Owner {
  readonly pool: LocalUserPool
  teardown(handler: () => unknown): unknown
}

/** Ends with the test. The certificate of `https` is self-signed. */
export async function openLure(
  { pool, teardown }: Owner,
  protocol: 'http' | 'https' = 'http',
): Promise<URL> {
  const answer: Parameters<typeof createServer>[1] = (request, response) => {
    lured.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(pool.jwks()))
  }
  const server = protocol === 'http' ? createServer(answer) : createSecureServer(identity(), answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return new URL(`${protocol}://127.0.0.1:${port}/lure`)
}

function identity(): { key: string; cert: string } {
  const pair = keyPair('tls')
  const body = certificateOf(pair).toString('base64').replace(/.{64}/g, '$&\n')
  return {
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
  }
}
