/** The guard by hand: the SDK's middleware, a verifier over aws-jwt-verify, and a route for the metadata. */
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import type { JwksCache } from 'aws-jwt-verify/jwk'
import type { Express } from 'express'

const userPoolId = 'eu-west-1_AbCdEfGhI'
const clientId = '5kek0i61pgkokoob4fsm9fo9it'
const resource = 'https://mcp.example.com/mcp'

export function protect(app: Express, properties?: { jwksCache: JwksCache }): void {
  const metadataPath = '/.well-known/oauth-protected-resource/mcp'
  const requiredScopes = [`${resource}/tools.read`]
  const pool = { userPoolId, clientId, tokenUse: 'access' } as const
  const verifier = CognitoJwtVerifier.create(pool, properties)
  app.get(metadataPath, (_req, res) => {
    res.json({
      resource,
      authorization_servers: [`https://cognito-idp.eu-west-1.amazonaws.com/${userPoolId}`],
      scopes_supported: requiredScopes,
      bearer_methods_supported: ['header'],
    })
  })
  const guard = requireBearerAuth({
    verifier: {
      verifyAccessToken: async (token) => {
        try {
          const { scope, exp } = await verifier.verify(token)
          return { token, clientId, scopes: scope.split(' '), expiresAt: exp }
        } catch {
          throw new InvalidTokenError('The access token is invalid')
        }
      },
    },
    requiredScopes,
    resourceMetadataUrl: `https://mcp.example.com${metadataPath}`,
  })
  app.use('/mcp', guard)
}
