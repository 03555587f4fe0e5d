/** A Fastify API with fastify-jwt-jwks. Scopes and claims are checked by hand. */
import Fastify from 'fastify'
import fastifyJwtJwks from 'fastify-jwt-jwks'
import { isAllowed } from '../policy.mjs'

const forbidden = (message) => Object.assign(new Error(message), { statusCode: 403 })

export async function createApp({ issuer, jwksUri, clientId }) {
  const app = Fastify()
  await app.register(fastifyJwtJwks, { jwksUrl: jwksUri, issuer })

  const requireAny = (scopes) => async (request) => {
    const { client_id, scope = '', tier } = request.user
    if (client_id !== clientId || !isAllowed(tier)) throw forbidden('client')
    if (!scope.split(' ').some((it) => scopes.includes(it))) throw forbidden('scope')
  }
  const protect = (...scopes) => ({ preValidation: [app.authenticate, requireAny(scopes)] })

  const answer = async (request) => ({ caller: request.user.client_id })
  app.get('/orders', protect('orders/read'), answer)
  app.get('/reports', protect('orders/read', 'reports/run'), answer)
  return app
}
