/** A server with the attacker's keys: no request may reach it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwk, KID } from '../../support/forge.ts'
import { certificateOf } from './certificate.ts'
import { attacker } from './hostile-case.ts'

export interface AttackerSite {
  readonly port: number
  /** TCP connections so far, TLS handshakes that fail included. */
  connections(): number
  close(): Promise<void>
}

/** The attacker's key under the pool's kid, as each of the header's pointers would find it. */
export async function openAttackerSite(): Promise<AttackerSite> {
  let connections = 0
  const keys = JSON.stringify({ keys: [jwk({ kid: KID }, attacker())] })
  const pem = `-----BEGIN CERTIFICATE-----\n${certificateOf(attacker()).toString('base64')}\n-----END CERTIFICATE-----\n`
  const server = createServer((request, response) => {
    response.setHeader('connection', 'close')
    response.end(request.url?.endsWith('.pem') === true ? pem : keys)
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
