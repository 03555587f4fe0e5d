/** The scopes of the orders API: routes and templates are held against these. */
import { defineScopes } from 'cognito-m2m'

export const orders = defineScopes('orders', {
  read: 'Read orders',
  api: 'Create and change orders',
  export: 'Export all orders of a day',
})
