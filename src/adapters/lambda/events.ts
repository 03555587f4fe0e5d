/** Reads the events that API Gateway sends to an authorizer. */
import type {
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayTokenAuthorizerEvent,
} from 'aws-lambda'

/** The parts of `arn:aws:execute-api:region:account:api/stage/METHOD/path`. */
export interface RequestArn {
  /** Everything up to the stage, which all routes of the API share. */
  readonly stage: string
  readonly method: string
  /** Begins with a slash. */
  readonly path: string
  /** The policy resource that matches only this request. */
  readonly exact: string
}

const ARN = /^(arn:[^:/]+:execute-api:[^:/]*:[^:/]*:[^/]+\/[^/]+)\/([A-Z]+)((?:\/.*)?)$/s

/** Returns undefined for an ARN that is not a request's, for example `$connect` of a WebSocket API. */
export function parseArn(arn: unknown): RequestArn | undefined {
  const [, stage, method, path] = (typeof arn === 'string' && ARN.exec(arn)) || []
  if (stage === undefined || method === undefined || path === undefined) return undefined
  return { stage, method, path: path || '/', exact: `${stage}/${method}${escapeResource(path)}` }
}

/**
 * Escapes `*`, `?` and `${` of a caller's path: IAM would read wildcards and variables. Their literal
 * forms are variables of IAM.
 */
function escapeResource(path: string): string {
  return path.replace(/[*?]|\$(?=\{)/g, (it) => `\${${it}}`)
}

/** REST TOKEN, REST REQUEST (and HTTP API 1.0), HTTP API 2.0. */
export type AuthorizerEvent =
  | APIGatewayTokenAuthorizerEvent
  | APIGatewayRequestAuthorizerEvent
  | APIGatewayRequestAuthorizerEventV2

/** What an authorizer needs of any of them. */
export interface AuthorizerRequest {
  /** Whether it is an event of HTTP API 2.0, the only kind with simple responses. */
  readonly isV2: boolean
  readonly arn: RequestArn
  /**
   * The path of the route that API Gateway chose, empty if the event names none. Undefined in TOKEN
   * events, which never name it.
   */
  readonly template: string | undefined
  /** The path of the request, in each spelling that the event contains. */
  readonly paths: readonly string[]
  readonly authorization: string | readonly string[] | undefined
}

/** An event before its members are checked. */
interface UnknownEvent {
  readonly version?: unknown
  readonly type?: unknown
  readonly methodArn?: unknown
  readonly routeArn?: unknown
  readonly resource?: unknown
  readonly routeKey?: unknown
  readonly path?: unknown
  readonly rawPath?: unknown
  readonly pathParameters?: Readonly<Record<string, unknown>> | null
  readonly authorizationToken?: unknown
  readonly headers?: Readonly<Record<string, unknown>> | null | undefined
  readonly multiValueHeaders?: Readonly<Record<string, unknown>> | null | undefined
}

/** Returns undefined for an event of another kind. */
export function readEvent(event: unknown): AuthorizerRequest | undefined {
  const members = (event ?? {}) as UnknownEvent
  const isV2 = members.version === '2.0'
  const arn = parseArn(isV2 ? members.routeArn : members.methodArn)
  if (arn === undefined) return undefined
  const paths = listPaths(members, arn)
  if (members.type === 'TOKEN') {
    const authorization = toAuthorization([members.authorizationToken])
    return { isV2, arn, template: undefined, paths, authorization }
  }
  if (members.type !== 'REQUEST') return undefined
  const authorization = readAuthorization(members)
  const template = readTemplate(isV2 ? members.routeKey : members.resource)
  return { isV2, arn, template, paths, authorization }
}

/** Reads `/orders/{id}` or `GET /orders/{id}`; `$default` matches every path, like a greedy parameter. */
function readTemplate(route: unknown): string {
  if (typeof route !== 'string') return ''
  if (route === '$default') return '/{default+}'
  return /^(?:[A-Z]+ )?(\/.*)$/s.exec(route)?.[1] ?? ''
}

function listPaths({ path, rawPath, pathParameters }: UnknownEvent, arn: RequestArn): string[] {
  const all = [arn.path, path, rawPath, ...Object.values(pathParameters ?? {})]
  return all.filter((it) => typeof it === 'string')
}

/** Returns every Authorization header of an event. `multiValueHeaders` has all lines, `headers` the last. */
export function readAuthorization({
  headers,
  multiValueHeaders,
}: Pick<UnknownEvent, 'headers' | 'multiValueHeaders'>): AuthorizerRequest['authorization'] {
  const all = listAuthorizationHeaders(multiValueHeaders)
  return toAuthorization(all.length > 0 ? all : listAuthorizationHeaders(headers))
}

/** Lists all values of the header in any case: REST APIs keep the caller's spelling of the name. */
function listAuthorizationHeaders(headers: UnknownEvent['headers']): unknown[] {
  return Object.entries(headers ?? {})
    .filter(([name]) => name.toLowerCase() === 'authorization')
    .flatMap(([, value]) => value)
}

/** The guard rejects values that are not strings. */
function toAuthorization(values: readonly unknown[]): AuthorizerRequest['authorization'] {
  const present = values.filter((value) => value !== undefined && value !== null) as string[]
  return present.length > 1 ? present : present[0]
}
