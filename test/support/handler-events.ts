/** Events that carry a request to a function, in the shape of their senders' documentation. */
import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  LambdaFunctionURLEvent,
} from 'aws-lambda'
import type { Sent } from './lambda-events.ts'

const linesOf = ({ authorization }: Sent): readonly string[] =>
  authorization === undefined ? [] : [authorization].flat()

/** REST API, payload 1.0: names keep the caller's case, `headers` has the last line alone. */
export function proxyEvent(sent: Sent): APIGatewayProxyEvent {
  const { method = 'GET', path = '/r' } = sent
  const lines = linesOf(sent)
  return {
    resource: path,
    path,
    httpMethod: method,
    headers: { Accept: '*/*', ...(lines.length > 0 && { Authorization: lines.at(-1) }) },
    multiValueHeaders: { Accept: ['*/*'], ...(lines.length > 0 && { Authorization: [...lines] }) },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: { resourcePath: path, httpMethod: method, path, stage: 'prod' },
    body: null,
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEvent
}

/** HTTP API, payload 2.0: lower-case names, several lines joined by commas. */
export function proxyV2Event(sent: Sent): APIGatewayProxyEventV2 {
  const { method = 'GET', path = '/r' } = sent
  const lines = linesOf(sent)
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { accept: '*/*', ...(lines.length > 0 && { authorization: lines.join(',') }) },
    requestContext: { stage: '$default', http: { method, path, protocol: 'HTTP/1.1' } },
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2
}

/** A function URL sends payload 2.0 with the route `$default`. */
export function functionUrlEvent(sent: Sent): LambdaFunctionURLEvent {
  return { ...proxyV2Event(sent), routeKey: '$default' } as LambdaFunctionURLEvent
}

/** A load balancer: lower-case names, the last line of each. */
export function loadBalancerEvent(sent: Sent): ALBEvent {
  const { method = 'GET', path = '/r' } = sent
  const last = linesOf(sent).at(-1)
  return {
    requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:1:tg' } },
    httpMethod: method,
    path,
    queryStringParameters: {},
    headers: { accept: '*/*', ...(last !== undefined && { authorization: last }) },
    body: '',
    isBase64Encoded: false,
  }
}

/** With multi-value headers, a load balancer sends no `headers`. */
export function multiValueLoadBalancerEvent(sent: Sent): ALBEvent {
  const lines = linesOf(sent)
  const { headers: _, ...rest } = loadBalancerEvent(sent)
  const multiValueHeaders = {
    accept: ['*/*'],
    ...(lines.length > 0 && { authorization: [...lines] }),
  }
  return { ...rest, multiValueHeaders }
}
