/** Adapters of frameworks other than Fastify and Express, each over real sockets. */
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono, type MiddlewareHandler } from 'hono'
import Koa from 'koa'
import { createFetchAuth, getAuth as getFetchAuth } from '../../../src/adapters/fetch/index.ts'
import {
  getAuth as getHonoAuth,
  cognitoAuth as honoAuth,
} from '../../../src/adapters/hono/index.ts'
import { getAuth as getKoaAuth, cognitoAuth as koaAuth } from '../../../src/adapters/koa/index.ts'
import {
  createFetchAuth as createMcpFetchAuth,
  getAuth as getMcpAuth,
  type McpRequirement,
  cognitoAuth as mcpAuth,
} from '../../../src/adapters/mcp/index.ts'
import type { HandlerGuards } from '../../../src/adapters/nestjs/handler-guards.ts'
import { Auth, Caller, CognitoAuthModule } from '../../../src/adapters/nestjs/index.ts'
import { HANDLER_GUARDS } from '../../../src/adapters/nestjs/module-check.ts'
import {
  type AccessRequirement,
  anyOf,
  type CognitoAuthOptions,
  type ResourceServer,
  type VerifiedToken,
} from '../../../src/index.ts'
import { createController, type Platform, platforms, startNest } from '../../support/nestjs.ts'
import { httpDoor, type Surface } from './endpoint.ts'

interface Seen {
  auth: VerifiedToken | null | undefined
}

interface App {
  readonly listener: RequestListener
  readonly server: ResourceServer
}

type CreateApp = (
  options: CognitoAuthOptions,
  requirement: AccessRequirement | undefined,
  seen: Seen,
) => App

function webSurface(name: string, createApp: CreateApp, traits: Partial<Surface> = {}): Surface {
  return {
    name,
    transport: 'http',
    ...traits,
    async open(options, requirement) {
      const seen: Seen = { auth: undefined }
      const { listener, server } = createApp(options, requirement, seen)
      const listening = createServer(listener).listen(0, '127.0.0.1')
      await once(listening, 'listening')
      return httpDoor(listening, server, seen, async () => {
        server.close()
        listening.closeAllConnections()
        listening.close()
      })
    },
  }
}

const createFetchApp: CreateApp = (options, requirement, seen) => {
  const auth = createFetchAuth(options)
  const guard = requirement === undefined ? auth.guard() : auth.guard(requirement)
  const handler = guard.protect((request) => {
    seen.auth = getFetchAuth(request, { optional: true })
    return new Response('reached')
  })
  return { listener: getRequestListener(handler), server: auth.server }
}

const createHonoApp: CreateApp = (options, requirement, seen) => {
  const app = new Hono()
  const auth = honoAuth(options)
  const guard: MiddlewareHandler = requirement === undefined ? auth() : auth(requirement)
  app.get('/r', guard, (c) => {
    seen.auth = getHonoAuth(c, { optional: true })
    return c.text('reached')
  })
  return { listener: getRequestListener(app.fetch), server: auth.server }
}

const createKoaApp: CreateApp = (options, requirement, seen) => {
  const app = new Koa()
  const auth = koaAuth(options)
  app.use(requirement === undefined ? auth() : auth(requirement))
  app.use((ctx) => {
    seen.auth = getKoaAuth(ctx, { optional: true })
    ctx.body = 'reached'
  })
  return { listener: app.callback(), server: auth.server }
}

/** An MCP server requires a scope. Where a test requires none, it is one that the tokens of the tests have. */
function toMcpRequirement(requirement: AccessRequirement = {}): McpRequirement {
  const isPlain = Object.getPrototypeOf(requirement ?? []) === Object.prototype
  return isPlain && !('scopes' in requirement)
    ? { scopes: anyOf('orders/read', 'openid'), ...requirement }
    : (requirement as McpRequirement)
}

const seenOf = (request: object): VerifiedToken | null => {
  const { auth } = request as { auth?: Parameters<typeof getMcpAuth>[0] }
  return auth === undefined ? null : getMcpAuth(auth)
}

const createMcpApp: CreateApp = (options, requirement, seen) => {
  const app = express()
  const auth = mcpAuth(options)
  app.get('/r', auth(toMcpRequirement(requirement)), (req, res) => {
    seen.auth = seenOf(req)
    res.send('reached')
  })
  return { listener: app, server: auth.server }
}

const createMcpFetchApp: CreateApp = (options, requirement, seen) => {
  const auth = createMcpFetchAuth(options)
  const handler = auth.protect(toMcpRequirement(requirement), (request) => {
    seen.auth = seenOf(request)
    return new Response('reached')
  })
  return { listener: getRequestListener(handler), server: auth.server }
}

function nestSurface(platform: Platform): Surface {
  return {
    name: platform,
    transport: 'http',
    async open(options, requirement) {
      const seen: Seen = { auth: undefined }
      const r = {
        decorators: requirement === undefined ? [] : [Auth(requirement)],
        parameters: [Caller({ optional: true })],
        run: (caller: unknown) => {
          seen.auth = caller as VerifiedToken | null
          return 'reached'
        },
      }
      const controllers = [createController({ r })]
      const imports = [CognitoAuthModule.forRoot(options)]
      const app = await startNest(platform, { imports, controllers })
      const { server } = app.get<HandlerGuards>(HANDLER_GUARDS)
      return httpDoor(app.getHttpServer(), server, seen, () => app.close())
    },
  }
}

export const webSurfaces: readonly Surface[] = [
  ...platforms.map(nestSurface),
  webSurface('fetch', createFetchApp, { joinsLines: true }),
  webSurface('Hono', createHonoApp),
  webSurface('Koa', createKoaApp),
  webSurface('MCP on Express', createMcpApp, { requiresScope: true }),
  webSurface('MCP on fetch', createMcpFetchApp, { requiresScope: true, joinsLines: true }),
]
