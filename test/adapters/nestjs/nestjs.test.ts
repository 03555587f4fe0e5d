/** The NestJS module on both platforms: decorators, what is protected without one, headers, and mistakes of the app. */
import 'reflect-metadata'
import type { ExecutionContext, ModuleMetadata } from '@nestjs/common'
import t from 'tap'
import {
  Auth,
  AuthException,
  Caller,
  CognitoAuthModule,
  Public,
} from '../../../src/adapters/nestjs/index.ts'
import { readAuthorization } from '../../../src/adapters/nestjs/request.ts'
import { OptionError, type VerifiedToken } from '../../../src/index.ts'
import { exchange } from '../../conformance/behavior/endpoint.ts'
import { get } from '../../support/express.ts'
import { forged, right, SCOPE, wrongScope } from '../../support/fastify.ts'
import {
  createController,
  decorateMethod,
  listen,
  optionsOf,
  type Platform,
  platforms,
  protectedBy,
  startNest,
} from '../../support/nestjs.ts'

const callerOf = (caller: unknown) => (caller as VerifiedToken | null)?.clientId ?? 'nobody'

for (const platform of platforms) {
  t.test(`${platform}: handlers are protected, decorators say more`, async (t) => {
    const controller = createController({
      default: { parameters: [Caller()], run: callerOf },
      scoped: { decorators: [Auth({ scopes: SCOPE })], parameters: [Caller()], run: callerOf },
      open: { decorators: [Public()], parameters: [Caller({ optional: true })], run: callerOf },
      optional: {
        decorators: [Auth({ optional: true })],
        parameters: [Caller({ optional: true })],
        run: callerOf,
      },
    })
    const url = await listen(t, platform, { imports: [protectedBy()], controllers: [controller] })
    t.equal((await get(`${url}/default`)).said, '401 ERR_TOKEN_MISSING')
    t.equal((await get(`${url}/default`, wrongScope)).text, 'billing')
    t.equal((await get(`${url}/scoped`, right)).text, 'billing')
    t.equal((await get(`${url}/scoped`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/open`)).text, 'nobody')
    t.equal((await get(`${url}/open`, forged)).text, 'nobody')
    t.equal((await get(`${url}/optional`)).text, 'nobody')
    t.equal((await get(`${url}/optional`, right)).text, 'billing')
    t.equal((await get(`${url}/optional`, forged)).said, '401 ERR_TOKEN_SIGNATURE')
    t.equal((await get(`${url}/nowhere`)).response.status, 404)
  })

  t.test(`${platform}: a rejection has status, headers and body of the error`, async (t) => {
    const controller = createController({ r: {} })
    const url = await listen(t, platform, { imports: [protectedBy()], controllers: [controller] })
    const { response, text } = await get(`${url}/r`, forged)
    t.equal(response.status, 401)
    t.strictSame(JSON.parse(text), {
      statusCode: 401,
      code: 'ERR_TOKEN_SIGNATURE',
      error: 'Unauthorized',
      message: 'The access token has an invalid signature',
    })
    t.match(Object.fromEntries(response.headers), {
      'www-authenticate': /^Bearer realm="api", error="invalid_token"/,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    })
    const raw = await exchange(Number(new URL(url).port), [
      'GET /r HTTP/1.1',
      'Host: a',
      'Connection: close',
      `Authorization: ${right}`,
      'authorization: Basic YTpi',
    ])
    t.match(raw, /^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  t.test(`${platform}: a requirement of the controller, and one of the handler`, async (t) => {
    const orders = createController(
      { list: {}, cancel: { decorators: [Auth({ scopes: 'orders/cancel' })] } },
      [Auth({ scopes: SCOPE })],
    )
    const health = createController({ live: {}, admin: { decorators: [Auth()] } }, [Public()])
    const url = await listen(t, platform, {
      imports: [protectedBy()],
      controllers: [orders, health],
    })
    t.equal((await get(`${url}/list`, right)).said, '200')
    t.equal((await get(`${url}/list`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/cancel`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/live`)).said, '200')
    t.equal((await get(`${url}/admin`)).said, '401 ERR_TOKEN_MISSING')
  })

  t.test(`${platform}: a decorator that replaces the method keeps the requirement`, async (t) => {
    const replace: MethodDecorator = (_target, _key, descriptor) => {
      const { value } = descriptor as PropertyDescriptor
      return { ...descriptor, value: (...args: unknown[]) => value(...args) } as never
    }
    const controller = createController({
      r: { decorators: [replace, Auth({ scopes: 'orders/other' })] },
    })
    const url = await listen(t, platform, { imports: [protectedBy()], controllers: [controller] })
    t.equal((await get(`${url}/r`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
  })
}

const [platform] = platforms as readonly [Platform]

t.test('a subclass inherits requirements, and never @Public', async (t) => {
  const Base = createController(
    {
      scoped: { decorators: [Auth({ scopes: 'orders/other' })] },
      open: { decorators: [Public()] },
      health: { decorators: [Public()] },
    },
    [Public()],
  )
  class Derived extends (Base as new () => object) {}
  Object.defineProperty(Derived.prototype, 'open', {
    value: () => 'in',
    writable: true,
    configurable: true,
  })
  const { Controller, Get } = await import('@nestjs/common')
  decorateMethod(Derived, 'open', [Get('open')])
  Controller('derived')(Derived)
  const url = await listen(t, platform, { imports: [protectedBy()], controllers: [Derived] })
  t.equal((await get(`${url}/derived/scoped`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
  t.equal((await get(`${url}/derived/open`)).said, '401 ERR_TOKEN_MISSING')
  // The method itself has the decorator.
  t.equal((await get(`${url}/derived/health`)).said, '200')
})

t.test('forRootAsync takes its options from other providers', async (t) => {
  const controller = createController({ r: {} })
  const url = await listen(t, platform, {
    imports: [
      CognitoAuthModule.forRootAsync({
        imports: [
          {
            module: class ConfigModule {},
            providers: [{ provide: 'CONFIG', useValue: { scopes: SCOPE } }],
            exports: ['CONFIG'],
          },
        ],
        inject: ['CONFIG'],
        useFactory: async (config: { scopes: 'orders/read' }) => optionsOf({ default: config }),
      }),
    ],
    controllers: [controller],
  })
  t.equal((await get(`${url}/r`, right)).said, '200')
  t.equal((await get(`${url}/r`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('bound methods are handlers, other functions are rejected', async (t) => {
  const Bound = createController({ r: { decorators: [Auth({ scopes: SCOPE })] } })
  class Binding extends (Bound as new () => { r: () => string }) {
    constructor() {
      super()
      this.r = this.r.bind(this)
    }
  }
  const { Controller } = await import('@nestjs/common')
  Controller('bound')(Binding)
  const url = await listen(t, platform, { imports: [protectedBy()], controllers: [Binding] })
  t.equal((await get(`${url}/bound/r`, right)).said, '200')
  t.equal((await get(`${url}/bound/r`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('a request without raw lines is read by its header', async (t) => {
  t.equal(readAuthorization({ headers: { authorization: right } }), right)
})

t.test('an exception filter gets the error, with the headers on the response', async (t) => {
  const { Catch } = await import('@nestjs/common')
  const { APP_FILTER } = await import('@nestjs/core')
  class Filter {
    catch(exception: AuthException, host: ExecutionContext) {
      host
        .switchToHttp()
        .getResponse()
        .status(exception.getStatus())
        .json({ problem: exception.error.code })
    }
  }
  Catch(AuthException)(Filter)
  const url = await listen(t, platform, {
    imports: [protectedBy()],
    controllers: [createController({ r: {} })],
    providers: [{ provide: APP_FILTER, useClass: Filter }],
  })
  const { response, body } = await get(`${url}/r`, forged)
  t.strictSame(body, { problem: 'ERR_TOKEN_SIGNATURE' })
  t.equal(response.status, 401)
  t.match(response.headers.get('www-authenticate'), 'invalid_token')
})

t.test('mistakes of the app end its start', async (t) => {
  const starting = (metadata: ModuleMetadata) => startNest(platform, metadata)
  const scoped = createController({ r: { decorators: [Auth({ scopes: SCOPE })] } })
  for (const handler of [
    { decorators: [Auth({ scopes: SCOPE })] },
    { decorators: [Public()] },
    { parameters: [Caller()] },
  ]) {
    await t.rejects(starting({ controllers: [createController({ r: handler })] }), {
      name: 'OptionError',
      message:
        'cognito-m2m: @Auth, @Public and @Caller: expected CognitoAuthModule.forRoot(options) among the imports of the app, got none. Add it to the root module.',
    })
  }
  await t.rejects(
    starting({ imports: [CognitoAuthModule], controllers: [createController({ r: {} })] }),
    {
      name: 'OptionError',
      message:
        'cognito-m2m: CognitoAuthModule: expected CognitoAuthModule.forRoot(options) among the imports of the app, got the class itself. Add it to the root module.',
    },
  )
  await t.rejects(
    starting({ imports: [CognitoAuthModule.forRoot({} as never)], controllers: [scoped] }),
    { message: /^cognito-m2m: userPoolId: / },
  )
  await t.rejects(starting({ imports: [protectedBy(), protectedBy({ clockTolerance: 1 })] }), {
    message: /^cognito-m2m: CognitoAuthModule: expected one import of the module, got 2\./,
  })
  await t.rejects(starting({ imports: [CognitoAuthModule.forRoot({} as never)] }), OptionError)
  await t.rejects(starting({ imports: [protectedBy({ default: false })] }), {
    name: 'OptionError',
    option: 'default',
  })
  const elsewhere = createController({
    r: { decorators: [Auth({ userPoolId: 'us-east-1_ZyXwVuTsR' })] },
  })
  await t.rejects(starting({ imports: [protectedBy()], controllers: [elsewhere] }), OptionError)
})

t.test('mistakes in decorators are errors when the class is loaded', async (t) => {
  const failing = (message: RegExp) => ({ name: 'OptionError', message })
  t.throws(() => Auth({ scope: SCOPE } as never), OptionError)
  t.throws(() => Auth(undefined as never), OptionError)
  t.throws(
    () => (Auth as never as ClassDecorator)(class {}),
    failing(
      /^cognito-m2m: @Auth: expected a plain object, got a function, perhaps the class\. Write @Auth\(\)\.$/,
    ),
  )
  t.throws(
    () => (Public as never as MethodDecorator)({}, 'r', {}),
    failing(/^cognito-m2m: @Public: expected no argument, got the method\. Write @Public\(\)\.$/),
  )
  t.throws(
    () => createController({ r: { decorators: [Public(), Auth()] } }),
    failing(
      /^cognito-m2m: @Public: expected one of @Auth and @Public on r, got two\. Remove one\.$/,
    ),
  )
  t.throws(() => createController({}, [Auth(), Public()]), failing(/on TestController, got two/))
})
