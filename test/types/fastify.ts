/** What `request.auth` is, route by route: compiled, never run. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  authDefault,
  type CognitoAuthOptions,
  cognitoAuth,
} from '../../src/adapters/fastify/index.ts'
import type { AccessRequirement, VerifiedToken } from '../../src/index.ts'
import { anyOf } from '../../src/index.ts'

/** Equal to the letter; `any` is equal to nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

export async function routes(app: FastifyInstance, requirement: AccessRequirement): Promise<void> {
  await app.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })
  await app.register(authDefault, { auth: false })

  app.get('/open', { config: { auth: false } }, async (request) => {
    same<typeof request.auth, null>(true)
  })
  app.get('/any', { config: { auth: {} } }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
  })
  app.get('/scoped', { config: { auth: { scopes: 'orders/read' } } }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
    return request.auth.clientId
  })
  app.get('/all', { config: { auth: { scopes: ['a/b', 'a/c'] } } }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
  })
  app.get('/one', { config: { auth: { scopes: anyOf('a/b', 'a/c') } } }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
  })
  app.get('/maybe', { config: { auth: { optional: true } } }, async (request) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })
  app.get('/sure', { config: { auth: { optional: false } } }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
  })
  app.get('/declared', { config: { auth: requirement } }, async (request) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })
  app.get(
    '/checked',
    { config: { auth: { check: (token) => token.scopes.has('a/b') } } },
    async (request) => {
      same<typeof request.auth, VerifiedToken>(true)
    },
  )
  app.route({
    method: 'POST',
    url: '/route',
    config: { auth: { scopes: 'orders/write', clientId: 'x' } },
    handler: async (request) => {
      same<typeof request.auth, VerifiedToken>(true)
    },
  })

  // Not inferred: nothing says what the default of this context is.
  app.get('/unannotated', async (request) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })
  // Not inferred: explicit generics leave ContextConfig at its default.
  app.get<{ Params: { id: string } }>('/orders/:id', { config: { auth: {} } }, async (request) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })
  // Not inferred: a hook serves every route.
  app.addHook('preHandler', async (request: FastifyRequest) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })

  // Not inferred: a hook among the route's options that is typed with a bare FastifyRequest.
  const audit = async (_request: FastifyRequest, _reply: FastifyReply): Promise<void> => {}
  app.get('/shared', { config: { auth: {} }, preHandler: audit }, async (request) => {
    same<typeof request.auth, VerifiedToken | null>(true)
  })
  // Inferred: the same hook behind a function, or one that names the members it reads.
  app.get(
    '/function',
    { config: { auth: {} }, preHandler: (request, reply) => audit(request, reply) },
    async (request) => {
      same<typeof request.auth, VerifiedToken>(true)
    },
  )
  const note = async (_request: Pick<FastifyRequest, 'auth' | 'log'>): Promise<void> => {}
  app.get('/members', { config: { auth: {} }, preHandler: [note] }, async (request) => {
    same<typeof request.auth, VerifiedToken>(true)
  })

  // @ts-expect-error the likeliest slip
  app.get('/slip', { config: { auth: { scope: 'orders/read' } } }, async () => {})
  // @ts-expect-error only `false` opens a route
  app.get('/true', { config: { auth: true } }, async () => {})
  // @ts-expect-error a requirement is an object
  app.get('/string', { config: { auth: 'orders/read' } }, async () => {})
  // @ts-expect-error clientId has to be said
  await app.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI' })
  // @ts-expect-error one form or the other
  await app.register(cognitoAuth, { userPoolId: 'a', clientId: null, userPools: [] })
  // @ts-expect-error unknown option
  await app.register(cognitoAuth, { userPoolId: 'a', clientId: null, tolerance: 5 })
  const options: CognitoAuthOptions = { userPoolId: 'a', clientId: null }
  await app.register(cognitoAuth, options)
  const scopes = app.cognito.status().userPools
  same<(typeof scopes)[number]['local'], boolean>(true)
}
