/** Events that name their route are decided by it: their paths are decoded, the routing is not. */
import t from 'tap'
import { createLambdaAuthorizer } from '../../src/lambda/index.ts'
import { pool, right } from '../fastify/support.ts'
import { requestEvent, v1Event, v2Event } from './events.ts'
import { allows } from './gateway.ts'

/** `right` has `orders/read` alone. */
const authorizer = createLambdaAuthorizer({
  ...pool.options(),
  routes: {
    'GET /orders/{id}': { scopes: 'orders/write' },
    'GET /orders/{id}/notes': { scopes: 'orders/read' },
    'ANY /files/{path+}': { scopes: 'orders/write' },
    'GET /files/public/{name}': { scopes: 'orders/read' },
  },
  resultTtl: 0,
})

/** HTTP API 2.0: the key of the route stands twice. */
function routedV2(path: string, routeKey: string) {
  const event = v2Event({ path, authorization: right })
  return { ...event, routeKey, requestContext: { ...event.requestContext, routeKey } }
}

/** REST and HTTP API 1.0: the resource stands twice, the method beside it. */
function routed(event: ReturnType<typeof requestEvent>, resource: string) {
  return { ...event, resource, requestContext: { ...event.requestContext, resourcePath: resource } }
}

// `/orders/1%2Fnotes` is routed to `/orders/{id}`, `/files/public%2Fx` to `/files/{path+}`.
const cases: [path: string, resource: string, key: string][] = [
  ['/orders/1/notes', '/orders/{id}', 'GET /orders/{id}'],
  ['/files/public/x', '/files/{path+}', 'ANY /files/{path+}'],
]

for (const [path, resource, key] of cases) {
  t.test(`${path} that was routed to ${key} needs what that asks for`, async (t) => {
    const events = {
      'HTTP API 2.0': routedV2(path, key),
      'HTTP API 1.0': routed(v1Event({ path, authorization: right }), resource),
      'REST REQUEST': routed(requestEvent({ path, authorization: right }), resource),
    }
    for (const [kind, event] of Object.entries(events)) {
      const arn = 'routeArn' in event ? event.routeArn : event.methodArn
      t.notOk(allows(await authorizer(event), arn), kind)
    }
  })
}

t.test('the same paths are let in where they were routed to the narrower route', async (t) => {
  for (const [path, resource] of [
    ['/orders/1/notes', '/orders/{id}/notes'],
    ['/files/public/x', '/files/public/{name}'],
  ] as const) {
    const v2 = routedV2(path, `GET ${resource}`)
    t.ok(allows(await authorizer(v2), v2.routeArn), path)
    const rest = routed(requestEvent({ path, authorization: right }), resource)
    t.ok(allows(await authorizer(rest), rest.methodArn), path)
  }
})
