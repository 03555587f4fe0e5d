/** The MCP adapter with the types of the MCP SDK alone: it compiles without those of Express. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { cognitoAuth, createFetchAuth, getAuth, type OAuthTokenVerifier } from 'cognito-m2m/mcp'

const options = { userPoolId: 'a', clientId: null }
const scopes = 'https://mcp.example.com/mcp/tools.read'

const auth = cognitoAuth({ ...options, errors: 'next' })
export const middleware: (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void = auth({ scopes })
export const verifier: OAuthTokenVerifier = auth.verifier({ scopes })
export const caller = (authInfo: AuthInfo | undefined): string => getAuth(authInfo).clientId

const web = createFetchAuth(options)
export const handle: (request: Request) => Promise<Response> = web.protect(
  { scopes },
  (request) => {
    const authInfo: AuthInfo = request.auth
    return Response.json([authInfo.clientId, request.url])
  },
)
web.protect({ scopes, optional: true }, (request: Request & { auth: AuthInfo | undefined }) => {
  // @ts-expect-error undefined for a request without a token
  return Response.json(request.auth.clientId)
})
// @ts-expect-error a server without a required scope
auth({})
// @ts-expect-error a server without a required scope
web.guard({ clientId: 'a' })
