/** Registered scopes: names are checked by the compiler. */
import { anyOf, createResourceServer, defineScopes } from 'cognito-m2m'

const orders = defineScopes('orders', { read: 'Read orders' })
const reports = defineScopes('reports', { run: 'Run reports' })
const apis = [orders, reports]
declare module 'cognito-m2m' {
  interface Register {
    scopes: typeof apis
  }
}
const server = createResourceServer({ userPoolId: 'a', clientId: null })
server.guard({ scopes: anyOf('orders/read', reports.run) })
// @ts-expect-error misspelt
server.guard({ scopes: 'orders/raed' })
