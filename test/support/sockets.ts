/** Real sockets: raw requests byte for byte, and upgrades whose socket is watched on both sides. */
import { type EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'

/** Listens on loopback and answers the port. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** Sends the lines of one request and reads until the server closes. */
export async function exchange(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return text(socket)
}

const UPGRADE = [
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

export interface Upgrade {
  readonly status: number
  readonly head: string
  readonly body: string
}

/**
 * Requests an upgrade and keeps the client half of the socket open. It settles only when the server
 * ended its half and closed its socket.
 */
export async function upgrade(
  app: { readonly server: EventEmitter },
  port: number,
  url: string,
  headers: readonly string[] = [],
  protocol = 'websocket',
): Promise<Upgrade> {
  const accepted = once(app.server, 'connection')
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write(
    [`GET ${url} HTTP/1.1`, 'Host: api.example', `Upgrade: ${protocol}`, ...UPGRADE, ...headers]
      .join('\r\n')
      .concat('\r\n\r\n'),
  )
  const [serverSide] = (await accepted) as [Socket]
  const [answer] = await Promise.all([text(socket), once(serverSide, 'close')])
  socket.destroy()
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}
