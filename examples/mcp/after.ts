/** The guard of this package. */
import type { CommonOptions } from 'cognito-m2m'
import { cognitoAuth } from 'cognito-m2m/mcp'
import type { Express } from 'express'

const userPoolId = 'eu-west-1_AbCdEfGhI'
const clientId = '5kek0i61pgkokoob4fsm9fo9it'
const resource = 'https://mcp.example.com/mcp'

export function protect(app: Express, options: Pick<CommonOptions, 'fetch'> = {}): void {
  const auth = cognitoAuth({ userPoolId, clientId, resourceMetadata: { resource }, ...options })
  app.use(auth.metadata())
  app.use('/mcp', auth({ scopes: `${resource}/tools.read` }))
}
