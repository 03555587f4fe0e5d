/** reply.callNotFound() runs the not-found handler without onRequest hooks: documented, with a recipe. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import {
  get,
  MISSING,
  NO_SCOPE,
  protectedApp,
  right,
  SCOPE,
  wrongScope,
} from '../../support/fastify.ts'

/** A public route and a protected one that both hand the request on, as @fastify/static does. */
function addRoutes(app: FastifyInstance): void {
  app.get('/public', { config: { auth: false } }, (_request, reply) => reply.callNotFound())
  app.get('/any', (_request, reply) => reply.callNotFound())
}

const authorizationLines = (rawHeaders: readonly string[]) =>
  rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  )

t.test('the guard of the route that called it has decided', async (t) => {
  const app = await protectedApp(t)
  app.setNotFoundHandler(async ({ auth }) => ({ clientId: auth?.clientId ?? null }))
  addRoutes(app)
  t.equal(await get(app, '/any'), MISSING)
  t.equal(await get(app, '/any', right), '200')
  t.equal(await get(app, '/public'), '200', 'nobody has decided: the recipe is for this')
  t.strictSame((await app.inject('/public')).json(), { clientId: null })
  t.equal(await get(app, '/nowhere'), MISSING, 'unmatched by themselves they are guarded')
})

t.test('a not-found handler that serves more than a 404 guards itself', async (t) => {
  const app = await protectedApp(t)
  const guard = app.cognito.guard({ scopes: SCOPE })
  app.setNotFoundHandler(
    {
      preHandler: async (request: FastifyRequest) =>
        void (await guard(authorizationLines(request.raw.rawHeaders), request)),
    },
    async () => 'elsewhere',
  )
  addRoutes(app)
  for (const url of ['/public', '/nowhere']) {
    t.equal(await get(app, url), MISSING, url)
    t.equal(await get(app, url, wrongScope), NO_SCOPE, url)
    t.equal(await get(app, url, right), '200', url)
  }
})
