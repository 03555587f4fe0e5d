/** A Node.js server whose upgrades pass a guard before they become WebSockets. */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { AuthError, type Guard, type ResourceServer, type VerifiedToken } from '../../src/index.ts'
import { type Client, WebSocketServer } from './streams.ts'

/** Every line, as they came: `headers` has the first one alone. */
function authorizationOf({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  )
}

/** Answers as HTTP, and closes: nothing of Node's looks after the socket any more. */
function refuse(socket: Duplex, error: unknown): void {
  const known = error instanceof AuthError
  const status = known ? error.statusCode : 500
  const body = JSON.stringify(known ? error : { statusCode: 500 })
  const headers = {
    ...(known && error.headers),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/** What was let in, in order. */
export interface Admitted {
  readonly socket: Client
  readonly token: VerifiedToken
}

/** Guards a server's upgrades; each socket echoes, and ends with its token. */
export function guardUpgrades(
  server: Server,
  guard: Guard<VerifiedToken>,
  resourceServer: ResourceServer,
): Admitted[] {
  const admitted: Admitted[] = []
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A caller may hang up while it is decided.
    socket.on('error', () => socket.destroy())
    let token: VerifiedToken
    try {
      token = await guard(authorizationOf(request), request)
    } catch (error) {
      refuse(socket, error)
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      admitted.push({ socket: client, token })
      client.on('message', (data: Buffer) => client.send(`echo ${data}`))
      resourceServer.closeOnExpiry(token, client)
    })
  })
  return admitted
}
