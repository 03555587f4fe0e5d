/** Parts of OpenAPI documents. */
import { defineScopes } from 'cognito-m2m'
import { openApiParts } from 'cognito-m2m/openapi'

const orders = defineScopes('orders', { read: 'Read orders' })
const parts = openApiParts({ tokenUrl: 'https://a.example/oauth2/token', scopes: [orders] })
export const [first] = parts.access({ scopes: orders.read }).security
// @ts-expect-error the name is scopes
parts.access({ scope: 'a/b' })
