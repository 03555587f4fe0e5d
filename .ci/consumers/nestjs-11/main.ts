/** An app of NestJS 11, which is CommonJS, on both of its platforms. */
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { Controller, Get, type INestApplication, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import type { VerifiedToken } from 'cognito-m2m'
import { Auth, Caller, CognitoAuthModule, Public } from 'cognito-m2m/nestjs'
import { createTestUserPool } from 'cognito-m2m/testing'

const pool = createTestUserPool()

@Controller()
class OrdersController {
  @Get('health')
  @Public()
  health() {
    return { ok: true }
  }

  @Get('orders')
  @Auth({ scopes: 'orders/read' })
  list(@Caller() caller: VerifiedToken) {
    return { caller: caller.clientId }
  }

  @Get('token')
  token(@Caller() caller: VerifiedToken) {
    return { caller: caller.clientId }
  }
}

@Module({
  imports: [CognitoAuthModule.forRoot(pool.options())],
  controllers: [OrdersController],
})
class AppModule {}

@Module({ controllers: [OrdersController] })
class UnguardedModule {}

const right = `Bearer ${pool.accessToken({ scopes: 'orders/read' })}`
const wrongScope = `Bearer ${pool.accessToken({ scopes: 'orders/write' })}`
const CASES = [
  ['/health', undefined, 200, undefined],
  ['/orders', right, 200, undefined],
  ['/token', wrongScope, 200, undefined],
  ['/orders', undefined, 401, 'ERR_TOKEN_MISSING'],
  ['/token', undefined, 401, 'ERR_TOKEN_MISSING'],
  ['/orders', `${right}x`, 401, 'ERR_TOKEN_INVALID'],
  ['/orders', wrongScope, 403, 'ERR_SCOPE_INSUFFICIENT'],
  ['/orders', 'Bearer a b', 400, 'ERR_REQUEST_INVALID'],
] as const

async function check(app: INestApplication) {
  const config = new DocumentBuilder().addBearerAuth().build()
  const { paths } = SwaggerModule.createDocument(app, config)
  assert.deepEqual(Object.keys(paths), ['/health', '/orders', '/token'])
  await app.listen(0, '127.0.0.1')
  try {
    const url = await app.getUrl()
    for (const [path, authorization, status, code] of CASES) {
      const headers = authorization === undefined ? undefined : { authorization }
      const response = await fetch(`${url}${path}`, { headers })
      const body = (await response.json()) as { readonly code?: string; readonly caller?: string }
      assert.equal(response.status, status, `${path} ${JSON.stringify(body)}`)
      assert.equal(body.code, code)
      assert.equal(response.headers.has('www-authenticate'), status >= 400)
    }
  } finally {
    await app.close()
  }
}

async function main() {
  for (const adapter of [() => new ExpressAdapter(), () => new FastifyAdapter()]) {
    await check(await NestFactory.create(AppModule, adapter(), { logger: false }))
    const unguarded = NestFactory.create(UnguardedModule, adapter(), {
      logger: false,
      abortOnError: false,
    })
    await assert.rejects(
      unguarded.then((app) => app.init()),
      /CognitoAuthModule/,
    )
  }
}

// A promise that never settles ends the process quietly: only the last line makes it a success.
process.exitCode = 1
main().then(() => {
  process.exitCode = 0
})
