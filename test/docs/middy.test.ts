/** Runs the Middy middleware of docs/lambda.md with Middy itself. */
import { readFileSync } from 'node:fs'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import t from 'tap'
import ts from 'typescript'
import { createHandlerAuth, getAuth, type HandlerEvent } from '../../src/adapters/lambda/index.ts'
import type { AccessRequirement } from '../../src/index.ts'
import { forged, pool, right, SCOPE, wrongScope } from '../support/fastify.ts'
import { proxyV2Event } from '../support/handler-events.ts'

const context = { awsRequestId: '1', getRemainingTimeInMillis: () => 3000 } as Context

/** The recipe's middleware, over the test's pool. */
function load() {
  const page = readFileSync('docs/lambda.md', 'utf8')
  const [, recipe = ''] = /^(export function cognitoAuth\(.*?^\})$/ms.exec(page) ?? []
  const { outputText } = ts.transpileModule(recipe.replace('export ', 'return '), {
    compilerOptions: { target: ts.ScriptTarget.ES2023 },
  })
  const { protectHandler } = createHandlerAuth(pool.options())
  return new Function('protectHandler', outputText)(protectHandler) as (
    requirement: AccessRequirement,
  ) => middy.MiddlewareObj<HandlerEvent>
}

function createHandler() {
  const calls: string[] = []
  const handler = middy<HandlerEvent>()
    .use(load()({ scopes: SCOPE }))
    .use({ before: () => void calls.push('second middleware') })
    .handler(async (event) => {
      calls.push('handler')
      return { statusCode: 200, body: getAuth(event).clientId }
    })
  return { handler, calls }
}

t.test('an accepted request reaches the handler with its token', async (t) => {
  const { handler, calls } = createHandler()
  const result = await handler(proxyV2Event({ authorization: right }), context)
  t.strictSame(result, { statusCode: 200, body: 'billing' })
  t.strictSame(calls, ['second middleware', 'handler'])
})

for (const [authorization, statusCode, code, challenge] of [
  [undefined, 401, 'ERR_TOKEN_MISSING', 'Bearer realm="api"'],
  [forged, 401, 'ERR_TOKEN_SIGNATURE', /^Bearer realm="api", error="invalid_token"/],
  [wrongScope, 403, 'ERR_SCOPE_INSUFFICIENT', /error="insufficient_scope".*scope="orders\/read"$/],
  [`${right}, ${right}`, 400, 'ERR_REQUEST_INVALID', /error="invalid_request"/],
] as const) {
  t.test(`${code} ends the request with its challenge`, async (t) => {
    const { handler, calls } = createHandler()
    const event = proxyV2Event(authorization === undefined ? {} : { authorization })
    const result = (await handler(event, context)) as unknown as {
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
    t.match(result, { statusCode, headers: { 'www-authenticate': challenge } })
    t.equal(JSON.parse(result.body).code, code)
    t.strictSame(calls, [])
  })
}

t.test('an event that is no HTTP request never reaches the handler', async (t) => {
  const { handler, calls } = createHandler()
  await t.rejects(handler({ Records: [] } as never, context), { code: 'ERR_EVENT_UNKNOWN' })
  t.strictSame(calls, [])
})

t.test('an event that a middleware replaced has no token', async (t) => {
  const handler = middy<HandlerEvent>()
    .use(load()({ scopes: SCOPE }))
    .use({
      before: (request) => {
        request.event = { ...request.event }
      },
    })
    .handler(async (event) => getAuth(event).clientId)
  await t.rejects(handler(proxyV2Event({ authorization: right }), context), {
    code: 'ERR_OPTION_INVALID',
  })
})
