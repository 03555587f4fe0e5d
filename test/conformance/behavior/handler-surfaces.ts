/** Handlers inside a Lambda function, with the events of each sender. */
import type { Context } from 'aws-lambda'
import {
  createHandlerAuth,
  getAuth,
  type HandlerErrorResult,
  type HandlerEvent,
} from '../../../src/adapters/lambda/index.ts'
import type { VerifiedToken } from '../../../src/index.ts'
import {
  functionUrlEvent,
  loadBalancerEvent,
  multiValueLoadBalancerEvent,
  proxyEvent,
  proxyV2Event,
} from '../../support/handler-events.ts'
import type { Sent } from '../../support/lambda-events.ts'
import { type Answer, admitted, type Surface } from './endpoint.ts'

type Result = HandlerErrorResult | { readonly statusCode: 200; readonly auth: VerifiedToken | null }

function answerOf(result: Result): Answer {
  if ('auth' in result) return admitted(result.auth)
  const { statusCode: status, body = '', headers, multiValueHeaders } = result
  const lines = headers ?? multiValueHeaders ?? {}
  const told = Object.entries(lines).map(([name, value]) => [name, String(value)])
  const json = JSON.parse(body) as { code: string }
  return { status, code: json.code, headers: Object.fromEntries(told), body: json, auth: undefined }
}

function surface(
  name: string,
  eventOf: (sent: Sent) => HandlerEvent,
  traits: Pick<Surface, 'oneLine' | 'joinsLines'> = {},
): Surface {
  return {
    name,
    transport: 'direct',
    ...traits,
    async open(options, requirement = {}) {
      const { protectHandler, server } = createHandlerAuth(options)
      const handler = protectHandler(requirement, (event: HandlerEvent): Result => {
        return { statusCode: 200, auth: getAuth(event, { optional: true }) }
      })
      return {
        ask: async (authorization) =>
          answerOf(await handler(eventOf({ authorization }), {} as Context)),
        server,
        close: async () => server.close(),
      }
    },
  }
}

export const handlerSurfaces: readonly Surface[] = [
  surface('handler, REST API', proxyEvent),
  surface('handler, HTTP API 2.0', proxyV2Event, { joinsLines: true }),
  surface('handler, function URL', functionUrlEvent, { joinsLines: true }),
  surface('handler, load balancer', loadBalancerEvent, { oneLine: true }),
  surface('handler, load balancer, multi-value headers', multiValueLoadBalancerEvent),
]
