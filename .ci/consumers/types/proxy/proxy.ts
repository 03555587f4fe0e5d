/** The token proxy, a Fastify plugin. */

import { memoryStore, tokenProxy } from 'cognito-m2m/proxy'
import { fastify } from 'fastify'

const app = fastify()
app.register(tokenProxy, {
  tokenEndpoint: 'https://a/oauth2/token',
  store: memoryStore(),
  authorize: (request) => request.ip === '',
})
export const told: Promise<boolean> = app.tokenProxy.invalidate({ clientId: 'a' })
// @ts-expect-error tokenEndpoint is misspelled
app.register(tokenProxy, { tokenEndpiont: 'https://a/oauth2/token' })
