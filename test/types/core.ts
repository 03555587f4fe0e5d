/** The core's types, compiled and never run. */
import {
  type AccessRequirement,
  type AnyAuthError,
  AuthError,
  type AuthErrorCode,
  anyOf,
  createResourceServer,
  type DefinedScopes,
  defineScopes,
  type VerifiedToken,
} from '../../src/index.ts'
import { createTestUserPool, startUserPool } from '../../src/testing/index.ts'

/** Equal to the letter; `any` is equal to nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

export async function guards(requirement: AccessRequirement): Promise<void> {
  const server = createResourceServer({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['a', 'b'] })
  const plain = server.guard()
  const scoped = server.guard({ scopes: ['a/b', 'a/c'], clientId: 'x' })
  const optional = server.guard({ optional: true })
  const sure = server.guard({ optional: false })
  const declared = server.guard(requirement)
  const checked = server.guard({ check: (token) => token.scopes.has('a/b') })
  same<ReturnType<typeof checked>, Promise<VerifiedToken>>(true)
  same<ReturnType<typeof plain>, Promise<VerifiedToken>>(true)
  same<ReturnType<typeof optional>, Promise<VerifiedToken | null>>(true)
  const [p, s, o, f, d] = [
    await plain('x'),
    await scoped(['x']),
    await optional(undefined),
    await sure('x'),
    await declared('x'),
  ]
  same<typeof p, VerifiedToken>(true)
  same<typeof s, VerifiedToken>(true)
  same<typeof o, VerifiedToken | null>(true)
  same<typeof f, VerifiedToken>(true)
  same<typeof d, VerifiedToken | null>(true)
  // @ts-expect-error a token is not changed
  p.clientId = 'other'
  // @ts-expect-error nor its scopes
  p.scopes.add('orders/admin')
  // @ts-expect-error the slip
  server.guard({ scope: 'a/b' })
  // @ts-expect-error a list that names nothing
  anyOf()
  // Claims are typed for machines: what a user's token has is unknown here.
  same<typeof p.claims.exp, number>(true)
  same<typeof p.claims.token_use, 'access'>(true)
}

export function options(): void {
  createResourceServer({ userPools: [{ userPoolId: 'a', clientId: null, subjects: 'any' }] })
  createResourceServer({ userPoolId: 'a', clientId: async (id) => id === 'x', logger: console })
  // @ts-expect-error clientId is required, null has to be said
  createResourceServer({ userPoolId: 'a' })
  // @ts-expect-error one form or the other
  createResourceServer({ userPoolId: 'a', clientId: null, userPools: [] })
  // @ts-expect-error unknown option
  createResourceServer({ userPoolId: 'a', clientId: null, audiences: 'x' })
  createResourceServer({ userPoolId: 'a', clientId: null, audience: ['x'], subjects: 'any' })
  createResourceServer({ userPoolId: 'a', clientId: null, audience: null })
  // @ts-expect-error a lookup answers with a boolean
  createResourceServer({ userPoolId: 'a', clientId: () => 'yes' })
}

export function errors(error: AnyAuthError): void {
  same<AuthError['code'], AuthErrorCode>(true)
  if (error.code === 'ERR_KEYS_UNAVAILABLE') same<typeof error.statusCode, 503>(true)
  if (error.code === 'ERR_SCOPE_INSUFFICIENT') same<typeof error.statusCode, 403>(true)
  same<typeof error.headers, Readonly<Record<string, string>>>(true)
  if (error instanceof AuthError) same<ReturnType<typeof error.toJSON>['code'], AuthErrorCode>(true)
}

export function scopes(): void {
  const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
  same<typeof orders.read, 'orders/read'>(true)
  same<typeof orders.write, 'orders/write'>(true)
  // @ts-expect-error a misspelt member
  orders.raed
  const defined: DefinedScopes = orders
  void defined
}

export async function testing(): Promise<void> {
  const pool = createTestUserPool({
    resourceServers: [defineScopes('orders', { read: 'Read orders' })],
    clients: [{ clientId: 'a', scopes: ['orders/read'] }],
  })
  same<ReturnType<typeof pool.accessToken>, string>(true)
  createResourceServer(pool.options())
  const local = await startUserPool({ port: 0 })
  createResourceServer(local.options())
  // @ts-expect-error no such fault
  await local.setJwksFault('flood')
  // @ts-expect-error unknown member
  createTestUserPool({ client: [] })
}
