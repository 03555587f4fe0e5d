/** Reads the events API Gateway calls an authorizer with. */
import type {
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayTokenAuthorizerEvent,
} from 'aws-lambda'
import { parseArn, type RequestArn } from './arn.ts'

/** REST TOKEN, REST REQUEST (and HTTP API 1.0), HTTP API 2.0. */
export type AuthorizerEvent =
  | APIGatewayTokenAuthorizerEvent
  | APIGatewayRequestAuthorizerEvent
  | APIGatewayRequestAuthorizerEventV2

/** What an authorizer needs of any of them. */
export interface AuthorizerRequest {
  /** Of HTTP API 2.0, the only one that takes simple answers. */
  readonly isV2: boolean
  readonly arn: RequestArn
  /** The path of the route as API Gateway knows it, where the event says it. */
  readonly template: string | undefined
  readonly authorization: string | readonly string[] | undefined
}

/** What an event may be; nothing of it is believed before it was looked at. */
interface Loose {
  readonly version?: unknown
  readonly type?: unknown
  readonly methodArn?: unknown
  readonly routeArn?: unknown
  readonly resource?: unknown
  readonly routeKey?: unknown
  readonly authorizationToken?: unknown
  readonly headers?: Readonly<Record<string, unknown>> | null
  readonly multiValueHeaders?: Readonly<Record<string, unknown>> | null
}

/** Undefined for an event of another kind. */
export function readEvent(event: unknown): AuthorizerRequest | undefined {
  const loose = (event ?? {}) as Loose
  const isV2 = loose.version === '2.0'
  const arn = parseArn(isV2 ? loose.routeArn : loose.methodArn)
  if (arn === undefined) return undefined
  if (loose.type === 'TOKEN') {
    return { isV2, arn, template: undefined, authorization: lines([loose.authorizationToken]) }
  }
  if (loose.type !== 'REQUEST') return undefined
  const all = linesOf(loose.multiValueHeaders)
  const authorization = lines(all.length > 0 ? all : linesOf(loose.headers))
  return { isV2, arn, template: templateOf(isV2 ? loose.routeKey : loose.resource), authorization }
}

/** `/orders/{id}`, or `GET /orders/{id}`; `$default` is no route of its own. */
function templateOf(named: unknown): string | undefined {
  return typeof named === 'string' ? /^(?:[A-Z]+ )?(\/.*)$/s.exec(named)?.[1] : undefined
}

/** Every line of the header, whatever the case of its name: REST APIs keep the caller's. */
function linesOf(headers: Loose['headers']): unknown[] {
  return Object.entries(headers ?? {})
    .filter(([name]) => name.toLowerCase() === 'authorization')
    .flatMap(([, value]) => value)
}

/** What is no string is for the guard to refuse. */
function lines(values: readonly unknown[]): AuthorizerRequest['authorization'] {
  const present = values.filter((value) => value !== undefined && value !== null) as string[]
  return present.length > 1 ? present : present[0]
}
