/** Definitions of infrastructure that tests render as templates. */
import type {
  ApiDefinition,
  AppRoute,
  InfraDefinition,
} from '../../../../src/contract/infra/index.ts'

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
export const REST_API: ApiDefinition = { name: 'orders-api', kind: 'rest', routes: ROUTES }
export const HTTP_API: ApiDefinition = { name: 'orders-api', kind: 'http', routes: ROUTES }
export const REST: InfraDefinition = { ...BARE, apis: [REST_API] }
export const HTTP: InfraDefinition = { ...BARE, apis: [HTTP_API] }
/** Everything that templates can have. */
export const FULL: InfraDefinition = {
  ...BARE,
  stage: 'dev',
  tags: { team: 'shop', 'cost-center': 'a/b:1' },
  apis: [
    { ...REST_API, accessLogDays: 30, throttling: { rate: 50, burst: 100 } },
    {
      name: 'reports',
      kind: 'http',
      accessLogDays: 90,
      throttling: { rate: 5, burst: 10 },
      routes: [{ method: 'GET', path: '/v1/reports', auth: { scopes: ['orders/read'] } }],
    },
  ],
}
