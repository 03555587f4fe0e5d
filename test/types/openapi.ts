/** Parts of documents, in documents that are typed: compiled, never run. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { fastify } from 'fastify'
import { cognitoOpenApi } from '../../src/contract/openapi/fastify/index.ts'
import { type OperationAccess, openApiParts } from '../../src/contract/openapi/index.ts'
import { anyOf, defineScopes } from '../../src/index.ts'

/** Equal to the letter; `any` is equal to nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const tokenUrl = 'https://auth.example.com/oauth2/token'
const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
const parts = openApiParts({ tokenUrl, scopes: [orders, { identifier: 'a', scopes: { b: 'B' } }] })

const { security, responses } = parts.access({ scopes: anyOf(orders.read, orders.write) })
same<ReturnType<typeof parts.access>, OperationAccess>(true)

export const document: FastifyDynamicSwaggerOptions['openapi'] = {
  openapi: '3.1.0',
  info: { title: 'Orders', version: '1.0.0' },
  components: { securitySchemes: parts.securitySchemes() },
  paths: { '/': { get: { security, responses: { 200: { description: '' }, ...responses } } } },
}

parts.access(false)
// @ts-expect-error the name is scopes
parts.access({ scope: orders.read })
// @ts-expect-error which operation is open has to be said
parts.access()
// @ts-expect-error a token URL has to be there
openApiParts({ scopes: [orders] })
// @ts-expect-error several are an array, and so is one
openApiParts({ tokenUrl, scopes: orders })

const app = fastify()
app.register(cognitoOpenApi, { tokenUrl, scopes: [orders], swagger: {} })
// @ts-expect-error Swagger 2.0 knows neither
app.register(cognitoOpenApi, { tokenUrl, scopes: [orders], swagger: { swagger: {} } })
