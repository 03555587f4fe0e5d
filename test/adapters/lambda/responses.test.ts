/** What each kind of event is answered with, decision by decision. */
import t from 'tap'
import { createLambdaAuthorizer } from '../../../src/adapters/lambda/index.ts'
import { forged, now, otherPool, pool, right, SCOPE, wrongScope } from '../../support/fastify.ts'
import { allows, runtimeError, thrownStatus } from '../../support/gateway.ts'
import { arnOf, requestEvent, tokenEvent, v1Event, v2Event } from '../../support/lambda-events.ts'

const kinds = {
  'REST TOKEN': tokenEvent,
  'REST REQUEST': requestEvent,
  'HTTP API 1.0': v1Event,
  'HTTP API 2.0': v2Event,
}
const routes = {
  'GET /r': { scopes: SCOPE },
  'GET /open': false,
  'GET /maybe': { optional: true },
} as const
const options = { ...pool.options(), routes, resultTtl: 0 }
const authorizer = createLambdaAuthorizer(options)
const simple = createLambdaAuthorizer({ ...options, simpleResponses: true })
const EXPIRES = now() / 1000 + 3600

for (const [kind, eventOf] of Object.entries(kinds)) {
  t.test(`${kind}: the right token gets an Allow for the very request`, async (t) => {
    t.strictSame(await authorizer(eventOf({ authorization: right })), {
      principalId: 'billing',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'execute-api:Invoke',
            Resource: ['arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/r'],
          },
        ],
      },
      context: {
        clientId: 'billing',
        scopes: SCOPE,
        expiresAt: EXPIRES,
        userPoolId: pool.userPoolId,
      },
    })
  })

  t.test(`${kind}: a missing scope gets a Deny`, async (t) => {
    t.strictSame(await authorizer(eventOf({ authorization: wrongScope })), {
      principalId: 'anonymous',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Action: 'execute-api:Invoke', Resource: [arnOf({})] }],
      },
      context: { code: 'ERR_SCOPE_INSUFFICIENT' },
    })
  })

  t.test(`${kind}: what is 400 or 401 elsewhere is thrown as Unauthorized`, async (t) => {
    const cases: [string, string | string[] | undefined][] = [
      ['ERR_TOKEN_MISSING', undefined],
      ['ERR_TOKEN_MISSING', 'Basic YTpi'],
      ['ERR_REQUEST_INVALID', `${right} x`],
      ['ERR_REQUEST_INVALID', [right, right]],
      ['ERR_TOKEN_SIGNATURE', forged],
      ['ERR_TOKEN_ISSUER', `Bearer ${otherPool.accessToken()}`],
      ['ERR_TOKEN_EXPIRED', `Bearer ${pool.tampered.expired()}`],
      ['ERR_TOKEN_USE', `Bearer ${pool.idToken()}`],
    ]
    for (const [code, authorization] of cases) {
      const error = await authorizer(eventOf({ authorization })).catch((it) => it)
      t.match(error, { code, name: 'AuthorizerError', message: 'Unauthorized' })
      t.equal(error.stack, 'AuthorizerError: Unauthorized')
      t.equal(error.cause, undefined)
      t.equal(thrownStatus(error), 401)
    }
  })

  t.test(`${kind}: an undecided request is thrown with a message and no stack`, async (t) => {
    const closed = createLambdaAuthorizer(options)
    closed.server.close()
    const undecided = createLambdaAuthorizer({
      ...options,
      check: () => Promise.reject(new Error('secret')),
    })
    for (const [code, message, of] of [
      ['ERR_KEYS_UNAVAILABLE', 'The access token cannot be verified at the moment', closed],
      ['ERR_CHECK_UNAVAILABLE', 'Access cannot be decided at the moment', undecided],
    ] as const) {
      const error = await of(eventOf({ authorization: right })).catch((it) => it)
      t.strictSame(runtimeError(error), { errorType: 'AuthorizerError', errorMessage: message })
      t.equal(error.code, code)
      t.equal(error.stack, `AuthorizerError: ${message}`)
      t.notMatch(JSON.stringify(error), /secret|eyJ/)
      t.equal(thrownStatus(error), 500)
    }
  })

  t.test(`${kind}: a route that was not declared is denied to a good token`, async (t) => {
    for (const sent of [{ path: '/other' }, { method: 'POST' }, { path: '/R' }, { path: '//r' }]) {
      const result = await authorizer(eventOf({ ...sent, authorization: right }))
      t.match(result, { context: { code: 'ERR_ACCESS_DENIED' } })
      t.notOk(allows(result, arnOf(sent)))
    }
    const error = await authorizer(eventOf({ path: '/other' })).catch((it) => it)
    t.equal(error.code, 'ERR_TOKEN_MISSING')
  })

  t.test(`${kind}: open and optional routes need no token`, async (t) => {
    for (const path of ['/open', '/maybe']) {
      const result = await authorizer(eventOf({ path }))
      t.match(result, { principalId: 'anonymous', context: {} })
      t.ok(allows(result, arnOf({ path })))
      t.notOk(allows(result, arnOf({ path: '/r' })))
    }
    t.ok(
      allows(
        await authorizer(eventOf({ path: '/open', authorization: forged })),
        arnOf({ path: '/open' }),
      ),
    )
    const maybe = authorizer(eventOf({ path: '/maybe', authorization: forged }))
    await t.rejects(maybe, { code: 'ERR_TOKEN_SIGNATURE' })
    t.match(await authorizer(eventOf({ path: '/maybe', authorization: right })), {
      principalId: 'billing',
    })
  })
}

t.test('simple responses', async (t) => {
  t.strictSame(await simple(v2Event({ authorization: right })), {
    isAuthorized: true,
    context: {
      clientId: 'billing',
      scopes: SCOPE,
      expiresAt: EXPIRES,
      userPoolId: pool.userPoolId,
    },
  })
  t.strictSame(await simple(v2Event({ authorization: wrongScope })), {
    isAuthorized: false,
    context: { code: 'ERR_SCOPE_INSUFFICIENT' },
  })
  t.strictSame(await simple(v2Event({ path: '/open' })), { isAuthorized: true, context: {} })
  await t.rejects(simple(v2Event({})), { message: 'Unauthorized', code: 'ERR_TOKEN_MISSING' })
  for (const eventOf of [tokenEvent, requestEvent, v1Event]) {
    await t.rejects(simple(eventOf({ authorization: right }) as never), {
      code: 'ERR_EVENT_UNKNOWN',
    })
  }
})

t.test('two spellings of the header are two lines', async (t) => {
  const event = requestEvent({ authorization: right })
  for (const headers of [event.headers, event.multiValueHeaders] as Record<string, unknown>[]) {
    headers['authorization'] = headers['Authorization']
  }
  await t.rejects(authorizer(event), { code: 'ERR_REQUEST_INVALID' })
  const single = { ...event, multiValueHeaders: null } as never
  await t.rejects(authorizer(single), { code: 'ERR_REQUEST_INVALID' })
  const one = { ...requestEvent({ authorization: right }), multiValueHeaders: null } as never
  t.ok(allows(await authorizer(one), arnOf({})))
  const odd = { ...event, headers: null, multiValueHeaders: { authorization: [5] } } as never
  await t.rejects(authorizer(odd), { code: 'ERR_REQUEST_INVALID' })
})

t.test('a token is read in the header and nowhere else', async (t) => {
  const token = right.slice('Bearer '.length)
  const event = {
    ...v2Event({}),
    rawQueryString: `access_token=${token}`,
    queryStringParameters: { access_token: token },
    cookies: [`access_token=${token}`],
    identitySource: [right],
    authorizationToken: right,
    body: `access_token=${token}`,
  }
  event.headers = { ...event.headers, 'x-authorization': right, cookie: token }
  await t.rejects(authorizer(event), { code: 'ERR_TOKEN_MISSING' })
})

t.test('other events are an error, not a decision', async (t) => {
  const event = requestEvent({ authorization: right })
  const others = [
    undefined,
    null,
    'x',
    {},
    { ...event, methodArn: undefined },
    { ...event, methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect' },
    { ...event, methodArn: 'arn:aws:lambda:eu-west-1:123456789012:function/prod/GET/r' },
    { ...event, methodArn: 7 },
    { ...event, type: 'OTHER' },
    { ...event, version: '2.0' },
    { ...v2Event({ authorization: right }), version: '3.0' },
  ]
  for (const other of others) {
    const error = await authorizer(other as never).catch((it) => it)
    t.equal(error.code, 'ERR_EVENT_UNKNOWN')
    t.equal(thrownStatus(error), 500)
  }
})

t.test('wildcards in a caller’s path name nothing but that path', async (t) => {
  const files = createLambdaAuthorizer({
    ...pool.options(),
    routes: { 'GET /files/{name}': { scopes: SCOPE }, 'GET /': {} },
    resultTtl: 0,
  })
  const variables = ['*', 'aws:username'].map((name) => `$\{${name}}`)
  for (const name of ['*', '?', 'a*b', '$x', ...variables]) {
    const path = `/files/${name}`
    const template = '/files/{name}'
    const result = await files(requestEvent({ path, template, authorization: right }))
    t.ok(allows(result, arnOf({ path })), name)
    for (const other of ['/files/x', '/files/aXb', '/files/a/b', '/', '/files/$', '/files/*x']) {
      if (other !== path) t.notOk(allows(result, arnOf({ path: other })), `${name} ${other}`)
    }
  }
  t.ok(allows(await files(tokenEvent({ path: '/', authorization: right })), arnOf({ path: '/' })))
  t.ok(allows(await files(tokenEvent({ path: '', authorization: right })), arnOf({ path: '' })))
})

t.test('an error of application code is logged and thrown without its text', async (t) => {
  const log: unknown[] = []
  const logger = { info() {}, warn() {}, error: (details: object) => void log.push(details) }
  const fault = new Error('clock')
  let broken = false
  const clock = () => {
    if (broken) throw fault
    return now()
  }
  const faulty = createLambdaAuthorizer({ ...options, now: clock, logger })
  broken = true
  const error = await faulty(tokenEvent({ authorization: right })).catch((it) => it)
  t.match(error, { code: 'ERR_INTERNAL', message: 'Access cannot be decided' })
  t.notMatch(`${error.stack}${error.cause}`, 'clock')
  t.strictSame(log, [{ err: fault }])
})

t.test('the check of a route gets the event', async (t) => {
  const seen: unknown[] = []
  const checked = createLambdaAuthorizer({
    ...pool.options(),
    routes: {
      'GET /r': {
        check: (token, request) => {
          seen.push(token.clientId, request)
          return true
        },
      },
    },
    resultTtl: 0,
  })
  const event = tokenEvent({ authorization: right })
  await checked(event)
  t.equal(seen[0], 'billing')
  t.equal(seen[1], event)
})
