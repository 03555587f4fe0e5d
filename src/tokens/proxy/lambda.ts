/**
 * `cognito-m2m/proxy/lambda`: the caching token endpoint as a Lambda function, behind an HTTP API or a function URL.
 *
 * @module
 */
import { type Logger, readLogger, safeLogger } from '../../core/options/logger.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import type { CheckedOptions } from '../oauth/one-token-api.ts'
import { createErrorResponse, type JsonResponse, MAX_FORM_BYTES } from '../oauth/protocol.ts'
import { type ProxyOptions, readProxyOptions } from './options.ts'
import type { Flight } from './single-flight.ts'
import { createTokenProxy, type TokenProxy } from './token-proxy.ts'
import { TOKEN_PATH, type TokenRequests } from './token-requests.ts'

export { OptionError } from '../../core/options/validate.ts'
export type { UserPoolsApiOptions } from '../oauth/token-api-options.ts'
export type { DynamoDbLike, DynamoDbStoreOptions } from '../store/dynamodb-store.ts'
export { dynamoDbStore } from '../store/dynamodb-store.ts'
export type { EncryptionKey } from '../store/encryption-keys.ts'
export { memoryStore } from '../store/memory-store.ts'
export type { NodeRedisLike, RedisLike, RedisStoreOptions } from '../store/redis-store.ts'
export { redisStore } from '../store/redis-store.ts'
export type { StoreStatus } from '../store/resilient-store.ts'
export type { TokenStore } from '../store/token-store.ts'
export type { ProxyOptions, UpstreamLimits } from './options.ts'
export type { TokenProxy, TokenProxyStatus } from './token-proxy.ts'
export type { UpstreamHeader } from './upstream.ts'

/** The used part of an event of an HTTP API (payload format 2.0) or of a function URL. */
export interface TokenProxyEvent {
  readonly version: string
  /** Path of the request. With a named stage, it begins with the stage. */
  readonly rawPath: string
  /** Names in lower case. Repeated headers are one, separated by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: string | undefined
  readonly isBase64Encoded: boolean
  readonly requestContext: {
    readonly http: { readonly method: string; readonly sourceIp: string }
    /** The client certificate of an HTTP API with mutual TLS. */
    readonly authentication?:
      | { readonly clientCert?: { readonly subjectDN: string } | null | undefined }
      | null
      | undefined
  }
}

/** The response, for an HTTP API or a function URL. */
export interface TokenProxyResult {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: string
}

/** Options of {@link createTokenProxyHandler}. Only `tokenEndpoint` or `userPoolsApi` is required. */
export interface TokenProxyHandlerOptions extends ProxyOptions<TokenProxyEvent> {
  /**
   * Logger of outages of Cognito and of the store, and of a failing `authorize`. `console` works.
   *
   * @defaultValue No logger
   */
  readonly logger?: Logger
}

/** The handler of the function, with its status. */
export interface TokenProxyHandler extends TokenProxy {
  /**
   * Responds to one event.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for an event with another payload format. Set payload format 2.0.
   */
  (event: TokenProxyEvent): Promise<TokenProxyResult>
  /** Ends token requests, and closes the store. For tests, and for a `SIGTERM` of an extension. */
  close(): Promise<void>
}

interface Responder {
  readonly requests: TokenRequests
  readonly authorize: ProxyOptions<TokenProxyEvent>['authorize']
  readonly logger: Logger
}

/** In the order of the Fastify plugin: path, method, `authorize`, size, then the form. */
async function respond(
  event: TokenProxyEvent,
  { requests, authorize, logger }: Responder,
  flights: Flight[],
): Promise<JsonResponse> {
  const { rawPath, headers, body = '', isBase64Encoded, requestContext } = event
  if (!rawPath.endsWith(TOKEN_PATH)) return createErrorResponse('invalid_request', 404)
  if (requestContext.http.method !== 'POST') {
    return requests.reject('invalid_request', 405, { allow: 'POST' })
  }
  const rejection = authorize && (await requests.authorize(() => authorize(event), logger))
  if (rejection !== undefined) return rejection
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  if (bytes.length > MAX_FORM_BYTES) return requests.reject('invalid_request', 413)
  const { authorization } = headers
  // Credentials contain no comma, so it separates two headers.
  const isRepeated = authorization?.includes(',') === true
  const incoming = {
    contentType: headers['content-type'],
    authorization: isRepeated ? authorization.split(',') : authorization,
    body: bytes,
  }
  return requests.handle(incoming, flights)
}

function readEvent(event: unknown): TokenProxyEvent {
  const { version, rawPath } = (event ?? {}) as Readonly<Record<string, unknown>>
  if (version === '2.0' && typeof rawPath === 'string') return event as TokenProxyEvent
  throw new OptionError(
    'event',
    `expected payload format 2.0 of an HTTP API or a function URL, got version ${describeValue(version)}. Set PayloadFormatVersion to '2.0'.`,
  )
}

/**
 * Creates the handler of a Lambda function that serves `POST /oauth2/token`, as the Fastify plugin of `cognito-m2m/proxy`
 * does: the same options, responses, headers and bodies.
 *
 * Create it outside the handler, so that invocations share the cache. Use a shared store, because each instance of a
 * function has a separate memory. Lambda stops an instance between invocations. So an invocation that requests a token
 * ends once the token is stored, at most `timeout` later. It does not wait for work of other invocations.
 *
 * @typeParam Options Type of the options, inferred.
 * @param options Either `tokenEndpoint` or `userPoolsApi` is required. Durations are in seconds.
 * @returns The handler. Paths that do not end in `/oauth2/token` get 404.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * import { DynamoDB } from '@aws-sdk/client-dynamodb'
 *
 * export const handler = createTokenProxyHandler({
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 *   store: dynamoDbStore({ client: new DynamoDB({}), tableName: 'tokens' }),
 *   encryptionKeys: [{ id: '2026-01', key: process.env['TOKEN_STORE_KEY'] ?? '' }],
 * })
 * ```
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function createTokenProxyHandler<Options extends TokenProxyHandlerOptions>(
  options: Options & CheckedOptions<Options, TokenProxyHandlerOptions, 'token proxy'>,
): TokenProxyHandler {
  const settings = readProxyOptions<TokenProxyEvent>(options, ['logger'])
  const logger = safeLogger(readLogger(options.logger))
  const { tokenProxy, requests, close } = createTokenProxy(settings, logger)
  const responder = { requests, authorize: settings.authorize, logger }
  const handle = async (event: TokenProxyEvent): Promise<TokenProxyResult> => {
    const flights: Flight[] = []
    const { status, headers, body } = await respond(readEvent(event), responder, flights)
    // Lambda would stop the instance in the middle of a token request. Work of other invocations is not waited for.
    await requests.settle(settings.timeoutMs, flights)
    const isHead = event.requestContext.http.method === 'HEAD'
    return { statusCode: status, headers: { ...headers }, body: isHead ? '' : body }
  }
  return Object.assign(handle, { ...tokenProxy, close })
}
