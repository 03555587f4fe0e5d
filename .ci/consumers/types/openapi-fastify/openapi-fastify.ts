/** The OpenAPI plugin, with @fastify/swagger. */

import { cognitoOpenApi } from 'cognito-m2m/openapi/fastify'
import { fastify } from 'fastify'

const app = fastify()
app.register(cognitoOpenApi, { tokenUrl: 'https://a.example/oauth2/token', scopes: [] })
// @ts-expect-error scopes are required
app.register(cognitoOpenApi, { tokenUrl: 'https://a.example/oauth2/token' })
