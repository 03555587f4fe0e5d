/** The events of a function that responds to requests itself, and the form of their responses. */
import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  LambdaFunctionURLEvent,
} from 'aws-lambda'
import { splitJoinedLines } from '../joined-lines.ts'
import type { ResponseError } from '../respond.ts'
import { readAuthorization } from './events.ts'

/** REST APIs and HTTP APIs (payload 1.0 and 2.0), function URLs, targets of an Application Load Balancer. */
export type HandlerEvent =
  | APIGatewayProxyEvent
  | APIGatewayProxyEventV2
  | LambdaFunctionURLEvent
  | ALBEvent

/** The response to a rejected request. */
export type HandlerErrorResult = APIGatewayProxyResult &
  ALBResult &
  APIGatewayProxyStructuredResultV2

/** What differs between the senders of events. */
export interface HandlerRequest {
  readonly authorization: string | readonly string[] | undefined
  /** A load balancer with multi-value headers ignores `headers` of a response. */
  readonly hasMultiValueHeaders: boolean
  /** A load balancer sends the reason phrase that the function gives. */
  readonly isLoadBalancer: boolean
}

interface UnknownEvent {
  readonly version?: unknown
  readonly httpMethod?: unknown
  readonly requestContext?: { readonly http?: unknown; readonly elb?: unknown } | null
  readonly headers?: Readonly<Record<string, unknown>> | null
  readonly multiValueHeaders?: Readonly<Record<string, unknown>> | null
}

/** Returns undefined for an event that is no HTTP request, for example a message of a queue. */
export function readHandlerEvent(event: unknown): HandlerRequest | undefined {
  const { version, httpMethod, requestContext, headers, multiValueHeaders } = (event ??
    {}) as UnknownEvent
  if (version === '2.0' && requestContext?.http !== undefined) {
    const authorization = readAuthorization({ headers })
    // HTTP APIs and function URLs join several lines with commas.
    const lines =
      typeof authorization === 'string' ? splitJoinedLines(authorization) : authorization
    return { authorization: lines, hasMultiValueHeaders: false, isLoadBalancer: false }
  }
  if (typeof httpMethod !== 'string') return undefined
  return {
    authorization: readAuthorization({ headers, multiValueHeaders }),
    hasMultiValueHeaders: (headers ?? undefined) === undefined && Boolean(multiValueHeaders),
    isLoadBalancer: requestContext?.elb !== undefined,
  }
}

/** The path of the route that API Gateway chose; null for `$default`, function URLs and load balancers. */
export function readRoute(event: unknown): string | null {
  const { routeKey, resource } = event as { readonly routeKey?: string; readonly resource?: string }
  return /^(?:[A-Z]+ )?(\/.*)$/s.exec(routeKey ?? resource ?? '')?.[1] ?? null
}

/** The response to a rejected request, in the form that the sender of the event expects. */
export function createErrorResult(
  error: ResponseError,
  { hasMultiValueHeaders, isLoadBalancer }: HandlerRequest,
): HandlerErrorResult {
  const { statusCode } = error
  const headers = { ...error.headers, 'content-type': 'application/json; charset=utf-8' }
  const body = JSON.stringify(error)
  const result: HandlerErrorResult = { statusCode, body, isBase64Encoded: false }
  if (hasMultiValueHeaders) {
    const entries = Object.entries(headers).map(([name, value]) => [name, [value]])
    result.multiValueHeaders = Object.fromEntries(entries)
  } else result.headers = headers
  if (isLoadBalancer) {
    const { error: reason } = JSON.parse(body) as { error: string }
    result.statusDescription = `${statusCode} ${reason}`
  }
  return result
}
