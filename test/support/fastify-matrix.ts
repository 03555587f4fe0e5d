/** The dimensions of the protection matrix: ways to declare a route, moments, places, annotations. */
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { authDefault, cognitoAuth } from '../../src/adapters/fastify/index.ts'
import type { AccessRequirement } from '../../src/index.ts'
import { pool, SCOPE } from './fastify.ts'

export type Annotation = AccessRequirement | false | undefined

export const annotations: Record<string, Annotation> = {
  none: undefined,
  '{}': {},
  scopes: { scopes: SCOPE },
  optional: { optional: true, scopes: SCOPE },
  false: false,
}

/** Reports that a handler was reached, with `request.auth` where there is a request. */
export type Tally = (request?: FastifyRequest) => void

export interface Kind {
  readonly declare: (scope: FastifyInstance, auth: Annotation, tally: Tally) => void
  readonly request: { method?: HTTPMethods; url: string; headers?: Record<string, string> }
  /** What has to be loaded before such a route can be declared. */
  readonly prepare?: (app: FastifyInstance) => PromiseLike<unknown>
  /** Takes no annotation: the default of its context says it. */
  readonly byDefault?: true
  /** Others' handler: its `request.auth` is not seen. */
  readonly blind?: true
  readonly socket?: true
}

const configOf = (auth: Annotation) => ({ config: auth === undefined ? {} : { auth } })
const handlerOf = (tally: Tally) => async (request: FastifyRequest) => {
  tally(request)
  return 'reached'
}

function setDefault(scope: FastifyInstance, auth: Annotation): void {
  if (auth !== undefined) scope.register(authDefault, { auth })
}

type Declare = Kind['declare']
const route =
  (method: HTTPMethods | HTTPMethods[], url: string, extra: object = {}): Declare =>
  (scope, auth, tally) => {
    scope.route({ method, url, ...extra, ...configOf(auth), handler: handlerOf(tally) })
  }
const within =
  (prefix: string, declare: Declare): Declare =>
  (scope, auth, tally) => {
    scope.register(async (child) => declare(child, auth, tally), { prefix })
  }
const notFound: Declare = (scope, auth, tally) => {
  setDefault(scope, auth)
  scope.setNotFoundHandler((request, reply) => {
    tally(request)
    reply.code(200).send('reached')
  })
}

export const routeKinds: Record<string, Kind> = {
  'get()': {
    declare: (scope, auth, tally) => scope.get('/r', configOf(auth), handlerOf(tally)),
    request: { url: '/r' },
  },
  'post()': {
    declare: (scope, auth, tally) => scope.post('/r', configOf(auth), handlerOf(tally)),
    request: { method: 'POST', url: '/r' },
  },
  'route()': { declare: route('PUT', '/r'), request: { method: 'PUT', url: '/r' } },
  'all()': {
    declare: (scope, auth, tally) => scope.all('/r', configOf(auth), handlerOf(tally)),
    request: { method: 'TRACE', url: '/r' },
  },
  'HEAD twin': { declare: route('GET', '/r'), request: { method: 'HEAD', url: '/r' } },
  'HEAD of a prefixed /': {
    declare: within('/p', route('GET', '/')),
    request: { method: 'HEAD', url: '/p/' },
  },
  'method array': {
    declare: route(['PUT', 'PATCH'], '/r'),
    request: { method: 'PATCH', url: '/r' },
  },
  OPTIONS: { declare: route('OPTIONS', '/r'), request: { method: 'OPTIONS', url: '/r' } },
  'DELETE with parameters': {
    declare: route('DELETE', '/r/:id'),
    request: { method: 'DELETE', url: '/r/1' },
  },
  wildcard: { declare: route('GET', '/r/*'), request: { url: '/r/a/b' } },
  'star alone': { declare: route('GET', '*'), request: { url: '/anything' } },
  'prefixed child': { declare: within('/p', route('GET', '/r')), request: { url: '/p/r' } },
  'slash of a prefix': { declare: within('/p', route('GET', '/')), request: { url: '/p/' } },
  'nested grandchild': {
    declare: within('/p', within('/q', route('GET', '/r'))),
    request: { url: '/p/q/r' },
  },
  "fastify-plugin'd": {
    declare: (scope, auth, tally) => {
      scope.register(fastifyPlugin(async (same) => route('GET', '/r')(same, auth, tally)))
    },
    request: { url: '/r' },
  },
  'host constraint': {
    declare: route('GET', '/r', { constraints: { host: 'api.example' } }),
    request: { url: '/r', headers: { host: 'api.example' } },
  },
  'version constraint': {
    declare: route('GET', '/r', { constraints: { version: '1.2.0' } }),
    request: { url: '/r', headers: { 'accept-version': '1.x' } },
  },
}

export const otherKinds = (files: string): Record<string, Kind> => ({
  'not-found handler': { declare: notFound, request: { url: '/nowhere' }, byDefault: true },
  'prefixed not-found handler': {
    declare: within('/p', notFound),
    request: { method: 'POST', url: '/p/nowhere' },
    byDefault: true,
  },
  'static files': {
    declare: (scope, auth, tally) => {
      setDefault(scope, auth)
      scope.register(fastifyStatic, {
        root: files,
        prefix: '/files/',
        cacheControl: false,
        setHeaders: () => tally(),
      })
    },
    request: { url: '/files/a.txt' },
    byDefault: true,
    blind: true,
  },
  'swagger-ui': {
    declare: (scope, auth, tally) => {
      setDefault(scope, auth)
      scope.register(swagger)
      const preHandler = (request: FastifyRequest, _reply: unknown, next: () => void) => {
        tally(request)
        next()
      }
      scope.register(swaggerUi, { routePrefix: '/docs', uiHooks: { preHandler } })
    },
    request: { url: '/docs/json' },
    byDefault: true,
  },
  websocket: {
    prepare: (app) => app.register(websocket),
    declare: (scope, auth, tally) => {
      scope.get('/ws', { websocket: true, ...configOf(auth) }, (_socket, request) => tally(request))
    },
    request: { url: '/ws' },
    socket: true,
  },
})

type Step = () => PromiseLike<unknown>

/** Which of the two comes first, and whether it was waited for. */
export const moments: Record<string, (declare: Step, protect: Step) => Promise<void>> = {
  'before an unawaited register': async (declare, protect) => {
    declare()
    protect()
  },
  'before an awaited register': async (declare, protect) => {
    declare()
    await protect()
  },
  'loaded before the register': async (declare, protect) => {
    await declare()
    await protect()
  },
  'after an unawaited register': async (declare, protect) => {
    protect()
    declare()
  },
  'after an awaited register': async (declare, protect) => {
    await protect()
    await declare()
  },
}

/** Waits for what was declared so far, once it is awaited; after() would begin to wait at once. */
const loaded = (scope: FastifyInstance) => scope as unknown as PromiseLike<unknown>

type Declaration = (scope: FastifyInstance) => void
type Moment = (declare: Step, protect: Step) => Promise<void>

const auth = (scope: FastifyInstance): Step => {
  // Not-found handlers do not count as routes: a child context may have nothing else here.
  return () => scope.register(cognitoAuth, { ...pool.options(), allowNoRoutes: true })
}

/** Where the route stands, seen from the registration. The last is out of its reach. */
export const places: Record<
  string,
  (app: FastifyInstance, declare: Declaration, moment: Moment) => Promise<void>
> = {
  'the same context': (app, declare, moment) =>
    moment(() => {
      declare(app)
      return loaded(app)
    }, auth(app)),
  'the same child context': async (app, declare, moment) => {
    await app.register(async (child) =>
      moment(() => {
        declare(child)
        return loaded(child)
      }, auth(child)),
    )
  },
  'a child': (app, declare, moment) =>
    moment(() => app.register(async (child) => declare(child)), auth(app)),
  'a grandchild': (app, declare, moment) =>
    moment(
      () => app.register(async (child) => child.register(async (next) => declare(next))),
      auth(app),
    ),
  'a sibling': (app, declare, moment) =>
    moment(
      () => app.register(async (child) => declare(child)),
      () => app.register(async (child) => void auth(child)()),
    ),
}
