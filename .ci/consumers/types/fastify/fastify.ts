/** The Fastify plugin. */

import { cognitoAuth } from 'cognito-m2m/fastify'
import { fastify } from 'fastify'

const app = fastify()
app.register(cognitoAuth, { userPoolId: 'a', clientId: null })
app.get('/', { config: { auth: { scopes: 'a/b' } } }, async (request) => request.auth.clientId)
// @ts-expect-error a public route has no token
app.get('/open', { config: { auth: false } }, async (request) => request.auth.clientId)
