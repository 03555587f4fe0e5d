/** The fetch adapter is typed on the globals of Node.js: it compiles without a framework. */
import { createFetchAuth, errorResponse, getAuth } from 'cognito-m2m/fetch'

const auth = createFetchAuth({ userPoolId: 'a', clientId: null })

/** A subclass of Request, as frameworks have them, and what they pass besides. */
class FrameworkRequest extends Request {
  readonly cookies: readonly string[] = []
}
interface Context {
  readonly params: Promise<{ id: string }>
}

export const GET: (request: FrameworkRequest, context: Context) => Promise<Response> = auth.protect(
  { scopes: 'a/b' },
  async (request: FrameworkRequest, { params }: Context) =>
    Response.json([(await params).id, getAuth(request).clientId, request.cookies]),
)

export async function authenticate(request: Request): Promise<Response> {
  try {
    const token = await auth.guard().authenticate(request)
    const optional = await auth.guard({ optional: true }).authenticate(request)
    // @ts-expect-error null for a request without a token
    const clientId: string = optional.clientId
    return Response.json([token.clientId, clientId])
  } catch (error) {
    return errorResponse(error)
  }
}

// @ts-expect-error a requirement has no member `scope`
auth.guard({ scope: 'a/b' })
