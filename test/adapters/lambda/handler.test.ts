/** Handlers inside a function: who reaches them, how each sender gets its rejection, and mistakes of the app. */
import type { Context } from 'aws-lambda'
import t from 'tap'
import {
  createHandlerAuth,
  getAuth,
  type HandlerEvent,
} from '../../../src/adapters/lambda/index.ts'
import { type CognitoAuthOptions, OptionError } from '../../../src/index.ts'
import { forged, pool, right, SCOPE, wrongScope } from '../../support/fastify.ts'
import {
  functionUrlEvent,
  loadBalancerEvent,
  multiValueLoadBalancerEvent,
  proxyEvent,
  proxyV2Event,
} from '../../support/handler-events.ts'

const context = { awsRequestId: '1' } as Context
const authFor = (options: Partial<CognitoAuthOptions> = {}) =>
  createHandlerAuth({ ...pool.options(), ...options } as CognitoAuthOptions)

const EVENTS = {
  'REST API': proxyEvent,
  'HTTP API 2.0': proxyV2Event,
  'function URL': functionUrlEvent,
  'load balancer': loadBalancerEvent,
  'load balancer, multi-value headers': multiValueLoadBalancerEvent,
}

const body = JSON.stringify({
  statusCode: 401,
  code: 'ERR_TOKEN_SIGNATURE',
  error: 'Unauthorized',
  message: 'The access token has an invalid signature',
})
const headers = {
  'cache-control': 'no-store',
  'www-authenticate':
    'Bearer realm="api", error="invalid_token", error_description="The access token has an invalid signature"',
  'content-type': 'application/json; charset=utf-8',
}

for (const [name, eventOf] of Object.entries(EVENTS)) {
  t.test(`${name}: the handler gets the event, the context and the token`, async (t) => {
    const handler = authFor().protectHandler({ scopes: SCOPE }, (event: HandlerEvent, context) => ({
      statusCode: 200,
      body: `${getAuth(event).clientId} ${context.awsRequestId}`,
    }))
    const event = eventOf({ authorization: right })
    t.strictSame(await handler(event, context), { statusCode: 200, body: 'billing 1' })
    const rejected = await handler(eventOf({ authorization: wrongScope }), context)
    t.match(rejected, { statusCode: 403, body: /ERR_SCOPE_INSUFFICIENT/ })
    t.match(await handler(eventOf({}), context), { statusCode: 401, body: /ERR_TOKEN_MISSING/ })
  })
}

t.test('each sender gets the rejection in its form', async (t) => {
  const handler = authFor().protectHandler({}, () => t.fail('reached'))
  const ask = (event: HandlerEvent) => handler(event, context)
  const common = { statusCode: 401, body, isBase64Encoded: false }
  for (const eventOf of [proxyEvent, proxyV2Event, functionUrlEvent]) {
    t.strictSame(await ask(eventOf({ authorization: forged })), { ...common, headers })
  }
  const statusDescription = '401 Unauthorized'
  t.strictSame(await ask(loadBalancerEvent({ authorization: forged })), {
    ...common,
    headers,
    statusDescription,
  })
  const multiValueHeaders = Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key, [value]]),
  )
  t.strictSame(await ask(multiValueLoadBalancerEvent({ authorization: forged })), {
    ...common,
    multiValueHeaders,
    statusDescription,
  })
})

t.test('several lines are rejected where the sender hands them over', async (t) => {
  const handler = authFor().protectHandler({ optional: true }, () => t.fail('reached'))
  for (const eventOf of [proxyEvent, proxyV2Event, functionUrlEvent, multiValueLoadBalancerEvent]) {
    for (const authorization of [
      [right, right],
      ['Basic YTpi', right],
    ]) {
      const result = await handler(eventOf({ authorization }), context)
      t.match(result, { statusCode: 400, body: /ERR_REQUEST_INVALID/ })
    }
  }
})

t.test('an optional token, and a rejection after a token was accepted', async (t) => {
  const auth = authFor()
  const whoAmI = auth.protectHandler({ optional: true }, (event: HandlerEvent) =>
    getAuth(event, { optional: true }),
  )
  t.equal(await whoAmI(proxyV2Event({}), context), null)
  const event = proxyV2Event({ authorization: right })
  t.match(await whoAmI(event, context), { clientId: 'billing' })
  const other = auth.protectHandler({ scopes: 'orders/other' }, () => t.fail('reached'))
  t.match(await other(event, context), { statusCode: 403 })
  t.throws(() => getAuth(event), OptionError)
})

t.test('an event that is no HTTP request never reaches the handler', async (t) => {
  const handler = authFor().protectHandler({ optional: true }, () => t.fail('reached'))
  const events = [
    undefined,
    null,
    {},
    { Records: [{ eventSource: 'aws:sqs', body: '{}' }] },
    { version: '2.0', routeArn: 'arn:aws:execute-api:eu-west-1:1:a/prod/GET/' },
    { version: '2.0', requestContext: null },
    { httpMethod: 1 },
  ]
  for (const event of events) {
    await t.rejects(handler(event as never, context), {
      name: 'AuthorizerError',
      code: 'ERR_EVENT_UNKNOWN',
      message: 'The event is not an HTTP request',
    })
  }
})

t.test('what the handler throws goes to the runtime', async (t) => {
  const failure = new Error('the database is down')
  const handler = authFor().protectHandler({}, async () => {
    throw failure
  })
  await t.rejects(handler(proxyV2Event({ authorization: right }), context), failure)
})

t.test('mistakes of the app are errors that name the fix', async (t) => {
  const { protectHandler, server } = authFor()
  t.throws(() => protectHandler({ scope: SCOPE } as never, () => {}), OptionError)
  t.throws(() => protectHandler(undefined as never, () => {}), OptionError)
  t.throws(() => protectHandler({}, undefined as never), {
    message:
      'cognito-m2m: handler: expected a function, got undefined. Pass the handler of the function.',
  })
  t.throws(() => getAuth(proxyV2Event({})), {
    message:
      'cognito-m2m: getAuth: no protected handler received this event. Pass the event that the handler received, not a copy.',
  })
  t.equal(server.status().ready, true)
})
