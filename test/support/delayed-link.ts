/** A TCP proxy in front of a server, which delays or breaks the connections of one process. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A running proxy. */
export interface DelayedLink {
  readonly url: string
  /** Milliseconds by which each chunk is late, in each direction. */
  delayMs: number
  /** Ends all connections; new ones are accepted. */
  cut(): void
}

export async function delayedLink(t: Test, port: number): Promise<DelayedLink> {
  const sockets = new Set<Socket>()
  const link = {
    url: '',
    delayMs: 0,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
  const forward = (from: Socket, to: Socket): void => {
    let last: Promise<unknown> = Promise.resolve()
    from.on('data', (chunk) => {
      const late = new Promise((resolve) => setTimeout(resolve, link.delayMs))
      // In order, also where the delay ends meanwhile.
      last = Promise.all([last, late]).then(() => to.write(chunk))
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    sockets.add(from)
  }
  const server = createServer((incoming) => {
    const outgoing = connect(port, '127.0.0.1')
    forward(incoming, outgoing)
    forward(outgoing, incoming)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    link.cut()
    server.close()
  })
  link.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
  return link
}
