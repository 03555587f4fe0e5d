/** The same API with cognito-m2m. */
import { anyOf } from 'cognito-m2m'
import { cognitoAuth } from 'cognito-m2m/fastify'
import Fastify from 'fastify'
import { isAllowed } from '../policy.mjs'

export async function createApp({ userPoolId, clientId, jwks }) {
  const app = Fastify()
  await app.register(cognitoAuth, {
    userPoolId,
    clientId,
    jwks, // offline; leave it out to fetch the keys
    check: ({ claims }) => isAllowed(claims.tier),
  })

  const protect = (scopes) => ({ config: { auth: { scopes } } })

  const answer = async (request) => ({ caller: request.auth.clientId })
  app.get('/orders', protect('orders/read'), answer)
  app.get('/reports', protect(anyOf('orders/read', 'reports/run')), answer)
  return app
}
