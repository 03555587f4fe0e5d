/** `createFetchAuth`: guards for handlers that turn a web-standard `Request` into a `Response`. */
import { attachRequirement } from '../../core/introspection.ts'
import { type CognitoAuthOptions, readOptions } from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { compileRequirement } from '../../core/requirement.ts'
import { createCoreServer, requireProtectedDefault } from '../../core/resource-server.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { countGuards } from '../count-guards.ts'
import { decide } from '../respond.ts'
import { readAuthorization } from './authorization.ts'
import { errorResponse } from './error-response.ts'
import { requestAuth } from './get-auth.ts'
import { createMetadataResponder } from './metadata.ts'
import type { FetchAuth, FetchGuard, FetchHandler, ProtectedHandler } from './types.ts'

/**
 * Protects handlers that take a web-standard `Request` and return a `Response`, for example route handlers of
 * Next.js in the Node.js runtime and h3.
 *
 * `Headers` joins several Authorization lines into one with commas. Therefore any comma outside of quotes in
 * that header is rejected with 400.
 *
 * @param options The user pools and the allowed app clients.
 * @returns Guards, the metadata document and the state.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const auth = createFetchAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * const listOrders = auth.protect({ scopes: 'orders/read' }, (request) =>
 *   Response.json({ caller: getAuth(request).clientId }))
 * ```
 */
export function createFetchAuth(options: CognitoAuthOptions): FetchAuth {
  const serverOptions = readOptions(options)
  const defaultRequirement = requireProtectedDefault(serverOptions)
  const server = createCoreServer(serverOptions)
  const countGuard = countGuards(serverOptions.logger)
  const guard = (...args: readonly unknown[]): FetchGuard<VerifiedToken | null> => {
    countGuard()
    const requirement =
      args.length === 0 ? defaultRequirement : compileRequirement(args[0], 'requirement')
    const coreGuard = server.createGuard(requirement)
    const authenticate = async (request: Request): Promise<VerifiedToken | null> => {
      checkRequest(request)
      requestAuth.clear(request)
      const authorization = readAuthorization(request.headers)
      const token = await decide(coreGuard, authorization, request, serverOptions.logger)
      requestAuth.set(request, token)
      return token
    }
    const protect: FetchGuard<VerifiedToken | null>['protect'] = (handler) =>
      attachRequirement(wrapHandler(authenticate, handler), requirement)
    return attachRequirement({ authenticate, protect }, requirement)
  }
  return {
    guard: guard as FetchAuth['guard'],
    protect: (requirement, handler) => guard(requirement).protect(handler),
    metadata: () => createMetadataResponder(server, serverOptions.metadata),
    status: () => server.status(),
    server,
  }
}

/** Runs the handler after the request was let pass. What the handler throws goes to the framework. */
export function wrapHandler<Incoming extends Request, Rest extends readonly unknown[]>(
  authenticate: (request: Request) => Promise<unknown>,
  handler: FetchHandler<Incoming, Rest>,
): ProtectedHandler<Incoming, Rest> {
  if (typeof handler !== 'function') {
    throw new OptionError(
      'handler',
      `expected a function, got ${describeValue(handler)}. Pass the handler of the route.`,
    )
  }
  return async (request, ...rest) => {
    checkRequest(request)
    try {
      await authenticate(request)
    } catch (error) {
      return errorResponse(error)
    }
    return handler(request, ...rest)
  }
}

/** A mistake of the app, for example an event of a framework in place of its request. */
export function checkRequest(request: unknown): void {
  const headers = (request as Partial<Request> | null | undefined)?.headers
  if (typeof headers?.get === 'function') return
  throw new OptionError(
    'request',
    `expected a Request with Headers, got ${describeValue(request)}. Pass the web-standard request of the framework.`,
  )
}
