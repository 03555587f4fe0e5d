/** The scopes of an app of two resource servers and of tenants whose names are not known here. */
import { defineScopes } from 'cognito-m2m'

export const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
export const reports = defineScopes('https://api.example.com/reports', { run: 'Run reports' })
export const apis = [orders, reports]

declare module 'cognito-m2m' {
  interface Register {
    scopes: readonly [...typeof apis, `tenants/${string}`]
  }
}
