/** All frameworks in one project: their types change global and shared modules, and must not contradict each other. */
import swagger from '@fastify/swagger'
import { serve } from '@hono/node-server'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { cognitoAuth as expressAuth, getAuth } from 'cognito-m2m/express'
import { cognitoAuth as fastifyAuth } from 'cognito-m2m/fastify'
import { cognitoAuth as honoAuth } from 'cognito-m2m/hono'
import { cognitoAuth as koaAuth } from 'cognito-m2m/koa'
import { getAuth as getMcpAuth, cognitoAuth as mcpAuth } from 'cognito-m2m/mcp'
import { CognitoAuthModule } from 'cognito-m2m/nestjs'
import { cognitoOpenApi } from 'cognito-m2m/openapi/fastify'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

const options = { userPoolId: 'a', clientId: null }
const requirement = { scopes: 'a/b' }

express().get('/', expressAuth(options)(requirement), (req, res) => {
  res.json(getAuth(req)?.clientId)
})
const mcp = mcpAuth(options)
express()
  .all('/mcp', mcp(requirement), async (req, res) => {
    await new StreamableHTTPServerTransport().handleRequest(req, res, req.body)
    getMcpAuth(req.auth)
  })
  .use(requireBearerAuth({ verifier: mcp.verifier(requirement) }))
const app = fastify()
app
  .register(fastifyAuth, options)
  .register(swagger)
  .register(cognitoOpenApi, { tokenUrl: 'https://a.example/oauth2/token', scopes: [] })
app.get('/', { config: { auth: requirement } }, async (request) => request.auth.clientId)
const hono = new Hono().get('/', honoAuth(options)(requirement), (c) => c.json(c.var.auth.clientId))
serve(hono)
new Koa().use(koaAuth(options)(requirement)).use((ctx) => {
  ctx.body = ctx.state.auth.clientId
})
const nest = [CognitoAuthModule.forRoot(options), new ExpressAdapter(), new FastifyAdapter()]
const pages = [DocumentBuilder, SwaggerModule]
process.exitCode = nest.length + pages.length
