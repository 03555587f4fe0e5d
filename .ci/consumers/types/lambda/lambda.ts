/** The Lambda authorizer, with @types/aws-lambda. */

import type { APIGatewayTokenAuthorizerHandler } from 'aws-lambda'
import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
export const handler: APIGatewayTokenAuthorizerHandler = createLambdaAuthorizer({
  userPoolId: 'a',
  clientId: null,
  routes: { 'GET /': {} },
  resultTtl: 0,
})
