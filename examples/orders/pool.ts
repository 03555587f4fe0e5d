/** The local user pool behind the example: one client that reads, one that writes, one that rules. */
import { type LocalUserPool, startUserPool } from 'cognito-m2m/testing'
import { BACK_OFFICE } from './app.js'
import { orders } from './scopes.js'

export function startOrdersPool(port = 0): Promise<LocalUserPool> {
  return startUserPool({
    port,
    resourceServers: [orders],
    clients: [
      { clientId: 'reporting', scopes: [orders.read] },
      { clientId: 'web-shop', scopes: [orders.read, orders.write] },
      { clientId: BACK_OFFICE, scopes: [orders.read, orders.write, orders.admin] },
    ],
  })
}
