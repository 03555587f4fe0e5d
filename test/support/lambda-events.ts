/** Events of every kind in the shape API Gateway sends them, recorded from its documentation. */
import type {
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayTokenAuthorizerEvent,
} from 'aws-lambda'

export const STAGE = 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod'

/** What a test varies. */
export interface Sent {
  readonly method?: string
  readonly path?: string
  /** The route API Gateway picked, where its path is not the path of the request; `$default` too. */
  readonly template?: string
  /** The lines of the header. */
  readonly authorization?: string | readonly string[] | undefined
}

export const arnOf = ({ method = 'GET', path = '/r' }: Sent): string => `${STAGE}/${method}${path}`

const linesOf = ({ authorization }: Sent): readonly string[] =>
  authorization === undefined ? [] : [authorization].flat()

/** REST API, TOKEN: one string, whatever lines there were. */
export function tokenEvent(sent: Sent): APIGatewayTokenAuthorizerEvent {
  return {
    type: 'TOKEN',
    methodArn: arnOf(sent),
    ...(sent.authorization !== undefined && { authorizationToken: linesOf(sent).join(',') }),
  } as APIGatewayTokenAuthorizerEvent
}

/** REST API, REQUEST: header names keep the caller's case, `headers` has the last line alone. */
export function requestEvent(sent: Sent): APIGatewayRequestAuthorizerEvent {
  const { method = 'GET', path = '/r', template = path } = sent
  const lines = linesOf(sent)
  return {
    type: 'REQUEST',
    methodArn: arnOf(sent),
    resource: template,
    path,
    httpMethod: method,
    headers: {
      Accept: '*/*',
      Host: 'a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com',
      'X-Forwarded-For': '198.51.100.7',
      'X-Forwarded-Proto': 'https',
      ...(lines.length > 0 && { Authorization: lines.at(-1) }),
    },
    multiValueHeaders: {
      Accept: ['*/*'],
      Host: ['a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com'],
      'X-Forwarded-For': ['198.51.100.7'],
      'X-Forwarded-Proto': ['https'],
      ...(lines.length > 0 && { Authorization: [...lines] }),
    },
    queryStringParameters: {},
    multiValueQueryStringParameters: {},
    pathParameters: {},
    stageVariables: {},
    requestContext: {
      resourceId: 'a1b2c3',
      resourcePath: template,
      httpMethod: method,
      requestTime: '14/Nov/2023:22:13:20 +0000',
      path: `/prod${path}`,
      accountId: '123456789012',
      protocol: 'HTTP/1.1',
      stage: 'prod',
      requestTimeEpoch: 1_700_000_000_000,
      requestId: 'deb9f4a1-0000-4000-8000-000000000000',
      identity: { sourceIp: '198.51.100.7', userAgent: 'curl/8.4.0' },
      apiId: 'a1b2c3d4e5',
    },
  } as unknown as APIGatewayRequestAuthorizerEvent
}

/** HTTP API, 2.0: lower-case names, several lines joined by commas. */
export function v2Event(sent: Sent): APIGatewayRequestAuthorizerEventV2 {
  const { method = 'GET', path = '/r', template = path } = sent
  const lines = linesOf(sent)
  const routeKey = template === '$default' ? template : `${method} ${template}`
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: arnOf(sent),
    identitySource: [...lines],
    routeKey,
    rawPath: path,
    rawQueryString: '',
    cookies: [],
    headers: {
      accept: '*/*',
      host: 'a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com',
      'x-forwarded-for': '198.51.100.7',
      ...(lines.length > 0 && { authorization: lines.join(',') }),
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName: 'a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com',
      domainPrefix: 'a1b2c3d4e5',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '198.51.100.7', userAgent: 'curl' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey,
      stage: 'prod',
      time: '14/Nov/2023:22:13:20 +0000',
      timeEpoch: 1_700_000_000_000,
    },
  } as unknown as APIGatewayRequestAuthorizerEventV2
}

/** HTTP API, 1.0: the shape of a REST REQUEST with a version. */
export function v1Event(sent: Sent): APIGatewayRequestAuthorizerEvent {
  const lines = linesOf(sent)
  return {
    ...requestEvent(sent),
    version: '1.0',
    identitySource: lines.join(','),
    authorizationToken: lines.join(','),
  } as APIGatewayRequestAuthorizerEvent
}
