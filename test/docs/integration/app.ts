/** What the apps before and after have in common. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An app with the route `/orders`, which requires the scope `orders/read`. */
export interface IntegrationApp {
  ask(headers: Record<string, string>): Promise<Response>
  close(): unknown
}

/** Serves a listener on loopback. */
export async function listen(listener: RequestListener): Promise<IntegrationApp> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ask: async (headers) => fetch(`http://127.0.0.1:${port}/orders`, { headers }),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
