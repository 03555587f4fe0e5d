/** The scopes of the orders API: routes, document and templates are held against these. */
import { defineScopes } from 'cognito-m2m'

export const orders = defineScopes('orders', {
  read: 'Read orders',
  write: 'Create and change orders',
  report: 'Read reports on orders',
})
