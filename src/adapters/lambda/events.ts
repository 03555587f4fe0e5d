/** Reads the events API Gateway calls an authorizer with. */
import type {
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayTokenAuthorizerEvent,
} from 'aws-lambda'

/** `arn:aws:execute-api:region:account:api/stage/METHOD/path`, taken apart. */
export interface RequestArn {
  /** Everything up to the stage, which all routes of the API share. */
  readonly stage: string
  readonly method: string
  /** Begins with a slash. */
  readonly path: string
  /** The resource that names this request and no other. */
  readonly exact: string
}

const ARN = /^(arn:[^:/]+:execute-api:[^:/]*:[^:/]*:[^/]+\/[^/]+)\/([A-Z]+)((?:\/.*)?)$/s

/** Undefined for what is no request, say the `$connect` of a websocket. */
export function parseArn(arn: unknown): RequestArn | undefined {
  const [, stage, method, path] = (typeof arn === 'string' && ARN.exec(arn)) || []
  if (stage === undefined || method === undefined || path === undefined) return undefined
  return { stage, method, path: path || '/', exact: `${stage}/${method}${literal(path)}` }
}

/**
 * `*`, `?` and `${` of a caller's path would be wildcards and variables: IAM spells their literal
 * forms as variables.
 */
function literal(path: string): string {
  return path.replace(/[*?]|\$(?=\{)/g, (it) => `\${${it}}`)
}

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
  /**
   * The path of the route that API Gateway picked, empty where the event names none; undefined in
   * TOKEN events, which cannot name it.
   */
  readonly template: string | undefined
  /** The path of the request in every spelling that the event has. */
  readonly paths: readonly string[]
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
  readonly path?: unknown
  readonly rawPath?: unknown
  readonly pathParameters?: Readonly<Record<string, unknown>> | null
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
  const paths = pathsOf(loose, arn)
  if (loose.type === 'TOKEN') {
    const authorization = lines([loose.authorizationToken])
    return { isV2, arn, template: undefined, paths, authorization }
  }
  if (loose.type !== 'REQUEST') return undefined
  const all = linesOf(loose.multiValueHeaders)
  const authorization = lines(all.length > 0 ? all : linesOf(loose.headers))
  const template = templateOf(isV2 ? loose.routeKey : loose.resource)
  return { isV2, arn, template, paths, authorization }
}

/** `/orders/{id}`, or `GET /orders/{id}`; `$default` takes every path, as a greedy parameter would. */
function templateOf(named: unknown): string {
  if (typeof named !== 'string') return ''
  if (named === '$default') return '/{default+}'
  return /^(?:[A-Z]+ )?(\/.*)$/s.exec(named)?.[1] ?? ''
}

function pathsOf({ path, rawPath, pathParameters }: Loose, arn: RequestArn): string[] {
  const all = [arn.path, path, rawPath, ...Object.values(pathParameters ?? {})]
  return all.filter((it) => typeof it === 'string')
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
