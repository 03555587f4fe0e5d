/** A Lambda authorizer for the same routes: HTTP API 2.0 with simple responses. */
import { anyOf } from 'cognito-m2m'
import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
import { isAllowed } from '../policy.mjs'

export function createHandler({ userPoolId, clientId, jwks }) {
  return createLambdaAuthorizer({
    userPoolId,
    clientId,
    jwks, // offline; leave it out to fetch the keys
    check: ({ claims }) => isAllowed(claims.tier),
    routes: {
      'GET /orders': { scopes: 'orders/read' },
      'GET /reports': { scopes: anyOf('orders/read', 'reports/run') },
    },
    resultTtl: 0,
    simpleResponses: true,
  })
}
