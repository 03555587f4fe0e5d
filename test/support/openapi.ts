/** What the tests of described Fastify apps share. */
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import {
  type CognitoOpenApiOptions,
  cognitoOpenApi,
} from '../../src/contract/openapi/fastify/index.ts'
import { defineScopes } from '../../src/index.ts'
import { newApp } from './fastify.ts'
import { TOKEN_URL } from './openapi-documents.ts'

export const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })

export const info = { title: 'Orders', version: '1.0.0' }

/** An app that describes itself; nothing protects it yet. */
export async function describedApp(
  t: Test,
  options: Partial<CognitoOpenApiOptions> = {},
): Promise<FastifyInstance> {
  const app = newApp(t)
  await app.register(cognitoOpenApi, {
    tokenUrl: TOKEN_URL,
    scopes: [orders],
    swagger: { openapi: { info } },
    ...options,
  })
  return app
}

/** The message of what makes an app fail to start; fails where it starts. */
export async function failure(app: FastifyInstance): Promise<string> {
  try {
    await app.ready()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('started')
}
