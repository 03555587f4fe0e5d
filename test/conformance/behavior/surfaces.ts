/** Every surface. A test that runs over them requires the same behavior of all. */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import express from 'express'
import Fastify from 'fastify'
import { cognitoAuth as expressAuth, getAuth } from '../../../src/adapters/express/index.ts'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { type CommonOptions, createResourceServer, type VerifiedToken } from '../../../src/index.ts'
import { sample } from '../../support/sample.ts'
import { admitted, httpDoor, refused, type Surface } from './endpoint.ts'
import { handlerSurfaces } from './handler-surfaces.ts'
import { lambdaSurfaces } from './lambda-surfaces.ts'
import { webSurfaces } from './web-surfaces.ts'

export type { Answer, Door, Surface } from './endpoint.ts'

const core: Surface = {
  name: 'core',
  transport: 'direct',
  async open(options, requirement) {
    const server = createResourceServer(options)
    const guard = requirement === undefined ? server.guard() : server.guard(requirement)
    return {
      ask: async (authorization) => {
        try {
          return admitted(await guard(authorization))
        } catch (error) {
          return refused(error)
        }
      },
      server,
      close: async () => server.close(),
    }
  },
}

const fastify: Surface = {
  name: 'Fastify',
  transport: 'http',
  async open(options, requirement) {
    const app = Fastify()
    const seen: { auth: VerifiedToken | null | undefined } = { auth: undefined }
    await app.register(cognitoAuth, options)
    const config = requirement === undefined ? {} : { auth: requirement }
    app.get('/r', { config }, async (request) => {
      seen.auth = request.auth
      return 'reached'
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return httpDoor(app.server, app.cognito, seen, () => app.close())
  },
}

/** Express 4's own types would only repeat Express 5's. */
function expressSurface(name: string, make: typeof express): Surface {
  return {
    name,
    transport: 'http',
    async open(options, requirement) {
      const app = make()
      const auth = expressAuth(options)
      const seen: { auth: VerifiedToken | null | undefined } = { auth: undefined }
      const guard = requirement === undefined ? auth() : auth(requirement)
      app.get('/r', guard, (req, res) => {
        seen.auth = getAuth(req, { optional: true })
        res.send('reached')
      })
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return httpDoor(server, auth.server, seen, async () => {
        auth.server.close()
        server.closeAllConnections()
        server.close()
      })
    },
  }
}

type Cache = NonNullable<CommonOptions['tokenCache']>

/** What `npm run test:all` runs these suites with, one after the other: decisions must be the same. */
const CACHES: Readonly<Record<string, Cache>> = { on: {}, off: false, one: { maxEntries: 1 } }

/** The same surface, unless a test says otherwise itself. */
function caching(surface: Surface, name: string, tokenCache: Cache): Surface {
  return {
    ...surface,
    name: `${surface.name}${name}`,
    open: (options, ...rest) => surface.open({ tokenCache, ...options }, ...rest),
  }
}

/** By the variable `TOKEN_CACHE`, default `on`. */
function withTokenCache(surface: Surface): Surface {
  const { TOKEN_CACHE: name = 'on' } = process.env
  const cache = CACHES[name]
  if (cache === undefined) throw new Error(`TOKEN_CACHE: expected on, off or one, got ${name}`)
  return caching(surface, '', cache)
}

/** Surfaces that share no code in front of the core. A test of the core's behavior runs over them. */
export const surfaces: readonly Surface[] = [
  core,
  fastify,
  expressSurface('Express 4', createRequire(import.meta.url)('express4')),
  expressSurface('Express 5', express),
  ...lambdaSurfaces,
].map(withTokenCache)

/** Thin adapters: a test of what callers see and handlers get runs over them too. */
export const thinSurfaces: readonly Surface[] = [...webSurfaces, ...handlerSurfaces].map(
  withTokenCache,
)

/**
 * And without a token cache, and with one that every other token pushes out. Adapters have no part in
 * it, so one stands for all.
 */
export const surfacesByCache: readonly Surface[] = [
  ...surfaces,
  ...[core, fastify].flatMap((surface) => [
    caching(surface, ', no token cache', false),
    caching(surface, ', one known token', { maxEntries: 1 }),
  ]),
]

/** Surfaces that share most of their code: the core, HTTP frameworks, API Gateway; each by its token cache. */
export function familyOf({ name, transport }: Surface): string {
  const [, cache = ''] = name.split(/(?=, (?:no token cache|one known token))/)
  if (name.startsWith('core')) return `core${cache}`
  return `${transport === 'http' ? 'http' : 'lambda'}${cache}`
}

/** All surfaces, or one of each family: another one for every scenario. */
export function surfacesFor(scenario: string, all = surfaces): readonly Surface[] {
  return sample(`surfaces of a scenario: ${scenario}`, all, (surface) => [familyOf(surface)])
}
