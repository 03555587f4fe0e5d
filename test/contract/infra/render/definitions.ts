/** Definitions of infrastructure that tests render as templates. */
import type { AppRoute, InfraDefinition } from '../../../../src/contract/infra/index.ts'

export const ROUTES: readonly AppRoute[] = [
  { method: 'get', path: '/health', auth: false },
  { method: 'GET', path: '/', auth: {} },
  { method: 'GET', path: '/orders', auth: { scopes: ['orders/read'] } },
  { method: 'POST', path: '/orders', auth: { scopes: ['orders/read', 'orders/write'] } },
  { method: 'GET', path: '/orders/:orderId', auth: { anyOf: ['orders/read', 'orders/write'] } },
  {
    method: 'DELETE',
    path: '/orders/{id}/lines/:line',
    auth: { scopes: ['orders/write'], anyOf: ['orders/read', 'orders/write'] },
  },
  { method: 'ALL', path: '/files/*', auth: { scopes: ['orders/read'] } },
]
export const BARE: InfraDefinition = {
  name: 'orders',
  domain: 'orders-test',
  resourceServers: [
    { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change ${them}' } },
  ],
  clients: [{ name: 'billing', scopes: ['orders/read', 'orders/write'], accessTokenValidity: 900 }],
}
export const REST = { ...BARE, api: { name: 'orders-api', kind: 'rest', routes: ROUTES } } as const
export const HTTP = { ...BARE, api: { name: 'orders-api', kind: 'http', routes: ROUTES } } as const
