/** The scopes of the orders API, defined once. */
import { defineScopes } from 'cognito-m2m'

export const orders = defineScopes('orders', {
  read: 'Read orders',
  write: 'Create and change orders',
  admin: 'Run reports over all orders',
})
