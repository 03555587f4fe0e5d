/** Code that compiles once scopes are registered, and code that does not. Registration affects a whole program, so this is a separate one. */
import { type AccessRequirement, anyOf, createResourceServer, type Scope } from 'cognito-m2m'
import { createTokenClient } from 'cognito-m2m/client'
import { cognitoAuth as expressAuth } from 'cognito-m2m/express'
import type {} from 'cognito-m2m/fastify'
import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
import { createTestUserPool } from 'cognito-m2m/testing'
import type { FastifyInstance } from 'fastify'
import { apis, orders, reports } from './scopes.ts'

/** Equal to the letter; `any` is equal to nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const pool = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }

export function registered(): void {
  same<
    Scope,
    | ('orders/read' | 'orders/write' | 'https://api.example.com/reports/run')
    | `tenants/${string}`
    | ('openid' | 'email' | 'phone' | 'profile' | 'aws.cognito.signin.user.admin')
  >(true)
  const both: AccessRequirement = { scopes: [orders.read, 'orders/write', 'tenants/acme'] }
  const either: AccessRequirement = { scopes: anyOf(reports.run, 'orders/read') }
  const user: AccessRequirement = { scopes: 'aws.cognito.signin.user.admin' }
  // @ts-expect-error misspelt
  const single: AccessRequirement = { scopes: 'orders/raed' }
  // @ts-expect-error misspelt, one of several
  const several: AccessRequirement = { scopes: ['orders/read', 'orders/wirte'] }
  // @ts-expect-error misspelt, one of several
  anyOf('orders/read', 'order/read')
  for (const requirement of [both, either, user, single, several]) {
    createResourceServer(pool).guard(requirement)
  }
  // @ts-expect-error misspelt
  createResourceServer(pool).guard({ scopes: 'orders/raed' })
  // @ts-expect-error misspelt
  createResourceServer({ ...pool, default: { scopes: 'orders/raed' } })
}

export function surfaces(app: FastifyInstance): void {
  app.get('/right', { config: { auth: { scopes: 'orders/read' } } }, async (request) => {
    same<typeof request.auth.clientId, string>(true)
  })
  // @ts-expect-error misspelt
  app.get('/wrong', { config: { auth: { scopes: 'orders/raed' } } }, async () => {})
  // @ts-expect-error misspelt, one of several
  app.get('/all', { config: { auth: { scopes: ['orders/read', 'orders/raed'] } } }, async () => {})

  const auth = expressAuth(pool)
  auth({ scopes: 'orders/write' })
  // @ts-expect-error misspelt
  auth({ scopes: 'orders/wirte' })

  createLambdaAuthorizer({ ...pool, resultTtl: 0, routes: { 'GET /': { scopes: 'orders/read' } } })
  // @ts-expect-error misspelt
  createLambdaAuthorizer({ ...pool, resultTtl: 0, routes: { 'GET /': { scopes: 'orders/raed' } } })
}

export function callers(): void {
  const client = createTokenClient({
    tokenEndpoint: 'https://a/oauth2/token',
    clientId: 'a',
    clientSecret: 'a',
  })
  client.getToken({ scopes: [orders.read, 'orders/write'] })
  // @ts-expect-error misspelt
  client.getToken({ scopes: 'orders/wirte' })
}

export function tests(): void {
  const issuer = createTestUserPool({
    resourceServers: apis,
    // Clients are checked against all resource servers of the pool when it is created.
    clients: [{ clientId: 'billing', scopes: ['orders/read'] }],
  })
  issuer.accessToken({ scopes: 'orders/read' })
  issuer.accessToken({ scopes: ['orders/read', 'tenants/acme'] })
  // @ts-expect-error misspelt
  issuer.accessToken({ scopes: 'orders/raed' })
  // @ts-expect-error misspelt
  issuer.accessToken({ scopes: ['orders/raed'] })
}
