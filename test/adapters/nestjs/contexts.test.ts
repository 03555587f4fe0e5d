/** Gateways, message handlers and resolvers: rejected at startup and at each call, unless they are public. */
import 'reflect-metadata'
import {
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  type ModuleMetadata,
  type Provider,
  Scope,
} from '@nestjs/common'
import { ExternalContextCreator, type NestContainer } from '@nestjs/core'
import { GuardsConsumer } from '@nestjs/core/guards/guards-consumer.js'
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js'
import t, { type Test } from 'tap'
import { Auth, Public } from '../../../src/adapters/nestjs/index.ts'
import { ModuleCheck } from '../../../src/adapters/nestjs/module-check.ts'
import { get } from '../../support/express.ts'
import { right, SCOPE } from '../../support/fastify.ts'
import {
  type Class,
  decorateMethod,
  listen,
  type Platform,
  platforms,
  protectedBy,
  startNest,
} from '../../support/nestjs.ts'

const [platform] = platforms as readonly [Platform]

/** What the decorators of the packages for other transports do to a method. */
const methodKey =
  (key: string): MethodDecorator =>
  (_target, _name, descriptor) => {
    Reflect.defineMetadata(key, 'set', (descriptor as PropertyDescriptor).value)
  }
const MessagePattern = methodKey('microservices:handler_type')
const SubscribeMessage = methodKey('websockets:message_mapping')
const Gateway: ClassDecorator = (target) => {
  Reflect.defineMetadata('websockets:is_gateway', true, target)
}

/** A class `Host` with the method `handle`. */
function createHost(
  methodDecorators: readonly MethodDecorator[],
  classDecorators: readonly ClassDecorator[] = [],
): Class {
  class Host {
    handle() {
      return 'in'
    }
  }
  decorateMethod(Host, 'handle', methodDecorators)
  for (const decorator of classDecorators.toReversed()) decorator(Host)
  return Host
}

const scoped = Auth({ scopes: SCOPE })
const controller = (...decorators: MethodDecorator[]) =>
  ({ controllers: [createHost(decorators, [Controller()])] }) as ModuleMetadata
const provider = (methods: MethodDecorator[], classes: ClassDecorator[] = []) =>
  ({ providers: [createHost(methods, [...classes, Injectable()])] }) as ModuleMetadata

const fix = 'Verify its token with server.guard() of cognito-m2m, and declare @Public().'
const REJECTED: Readonly<Record<string, readonly [ModuleMetadata, string]>> = {
  'a message handler with @Auth': [
    controller(MessagePattern, scoped),
    `@Auth: expected an HTTP handler, got the message handler Host.handle. ${fix}`,
  ],
  'a message handler of a controller with @Auth': [
    { controllers: [createHost([MessagePattern], [Controller(), scoped])] },
    `@Auth: expected an HTTP handler, got the message handler Host.handle. ${fix}`,
  ],
  'a message handler without a decorator': [
    controller(MessagePattern),
    `CognitoAuthModule: expected an HTTP handler, got the message handler Host.handle. ${fix}`,
  ],
  'an HTTP handler that handles messages too': [
    controller(Get(), MessagePattern, scoped),
    `@Auth: expected an HTTP handler, got the message handler Host.handle. ${fix}`,
  ],
  'a gateway with @Auth': [
    provider([], [Gateway, scoped]),
    `@Auth: expected an HTTP handler, got the gateway Host. ${fix}`,
  ],
  'a gateway without a decorator': [
    provider([], [Gateway]),
    `CognitoAuthModule: expected an HTTP handler, got the gateway Host. ${fix}`,
  ],
  'a handler with @Auth in a public gateway': [
    provider([SubscribeMessage, scoped], [Gateway, Public()]),
    `@Auth: expected an HTTP handler, got the websocket handler Host.handle. ${fix}`,
  ],
  'a resolver with @Auth': [
    provider([methodKey('graphql:resolver_type'), scoped]),
    `@Auth: expected an HTTP handler, got the GraphQL resolver Host.handle. ${fix}`,
  ],
  'a field resolver': [
    provider([methodKey('graphql:resolve_property')]),
    `CognitoAuthModule: expected an HTTP handler, got the GraphQL resolver Host.handle. ${fix}`,
  ],
  'a method of a service with @Auth': [
    provider([scoped]),
    '@Auth: expected an HTTP handler, got the method Host.handle. Add @Get or another decorator of routes, or remove @Auth.',
  ],
  'a method of a controller without a route': [
    controller(scoped),
    '@Auth: expected an HTTP handler, got the method Host.handle. Add @Get or another decorator of routes, or remove @Auth.',
  ],
  'a service with @Auth': [
    provider([], [scoped]),
    '@Auth: expected a controller, got the class Host. Move @Auth to a controller.',
  ],
}

for (const [name, [metadata, message]] of Object.entries(REJECTED)) {
  t.test(`${name} ends the start`, async (t) => {
    await t.rejects(startNest(platform, { imports: [protectedBy()], ...metadata }), {
      name: 'OptionError',
      message: `cognito-m2m: ${message}`,
    })
  })
}

t.test('other classes and methods are no concern of the module', async (t) => {
  const Base = createHost([scoped]) as new () => { handle(): string }
  class Orders extends Base {
    override handle() {
      return 'overridden'
    }
  }
  decorateMethod(Orders, 'handle', [Get('orders')])
  Controller()(Orders)
  const url = await listen(t, platform, {
    imports: [protectedBy()],
    controllers: [Orders],
    providers: [
      Orders,
      createHost([]),
      createHost([SubscribeMessage, Public()], [Gateway, Public()]),
      { provide: 'factory', useFactory: () => ({}) },
      { provide: 'value', useValue: null },
    ],
  })
  t.equal((await get(`${url}/orders`, right)).text, 'overridden')
  t.equal((await get(`${url}/orders`)).said, '401 ERR_TOKEN_MISSING')
})

/** Calls `Host.handle` as Nest does for the type of context, with the global guard or without it. */
async function call(app: INestApplication, host: Class, type: string, hasGlobalGuard: boolean) {
  const instance = app.get<{ handle(): string }>(host)
  if (hasGlobalGuard) {
    const creator = app.get(ExternalContextCreator)
    return creator.create(
      instance,
      instance.handle,
      'handle',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      type,
    )('message')
  }
  const { container } = app as unknown as { container: NestContainer }
  const { token } = [...container.getModules().values()].find(
    ({ controllers, providers }) => controllers.has(host) || providers.has(host),
  ) as { token: string }
  const guards = new GuardsContextCreator(container).create(instance, instance.handle, token)
  return (await new GuardsConsumer().tryActivate(guards, [], instance, instance.handle, type))
    ? instance.handle()
    : 'rejected'
}

async function start(t: Test, metadata: ModuleMetadata): Promise<INestApplication> {
  const app = await startNest(platform, { imports: [protectedBy()], ...metadata })
  t.teardown(() => app.close())
  return app
}

for (const type of ['graphql', 'rpc', 'ws']) {
  t.test(`a context of ${type} is rejected, with the global guard and without it`, async (t) => {
    const host = createHost([Get(), scoped], [Controller()])
    const app = await start(t, { controllers: [host] })
    for (const hasGlobalGuard of [true, false]) {
      await t.rejects(call(app, host, type, hasGlobalGuard), {
        name: 'OptionError',
        message: `cognito-m2m: CognitoAuthModule: expected an HTTP request, got a context of ${type}. ${fix}`,
      })
    }
    const unknown = createHost([], [Injectable()])
    const other = await start(t, { providers: [unknown] })
    await t.rejects(call(other, unknown, type, true), { name: 'OptionError' })
  })

  t.test(`a public handler of ${type} runs`, async (t) => {
    const handler = createHost([MessagePattern, Public()], [Controller(), Auth()])
    const gateway = createHost([SubscribeMessage], [Gateway, Public(), Injectable()])
    const app = await start(t, { controllers: [handler], providers: [gateway] })
    for (const host of [handler, gateway]) {
      for (const hasGlobalGuard of [true, false]) {
        t.equal(await call(app, host, type, hasGlobalGuard), 'in')
      }
    }
  })
}

t.test('a handler that is no method of its class has no known requirement', async (t) => {
  const host = createHost([Get()], [Controller()])
  const app = await start(t, { controllers: [host] })
  const context = {
    getType: () => 'http',
    getClass: () => host,
    getHandler: () => () => {},
  } as never as ExecutionContext
  const creator = app.get(ExternalContextCreator)
  t.ok(creator)
  const guards = app.get('cognito-m2m:handler-guards', { strict: false })
  t.throws(() => guards.find(context), {
    name: 'OptionError',
    message: /: expected handlers that are methods of Host, got another function\. Declare/,
  })
  t.equal(new ModuleCheck(true, guards).canActivate(context), true)
})

t.test('a public gateway runs with other providers of its instance', async (t) => {
  const gateway = createHost([SubscribeMessage], [Gateway, Public(), Injectable()])
  const aliases: readonly Provider[] = [
    { provide: 'alias', useExisting: gateway },
    { provide: 'factory', inject: [gateway], useFactory: (host: object) => host },
    { provide: 'value', useValue: new gateway() },
  ]
  for (const alias of aliases) {
    for (const providers of [
      [gateway, alias],
      [alias, gateway],
    ]) {
      const app = await start(t, { providers })
      for (const hasGlobalGuard of [true, false]) {
        t.equal(await call(app, gateway, 'ws', hasGlobalGuard), 'in')
      }
    }
  }
})

t.test('a handler in the scope of its request', async (t) => {
  const scope = Scope.REQUEST
  const handler = createHost([MessagePattern, Public()], [Controller({ scope })])
  const other = createHost([Get(), scoped], [Controller({ scope })])
  const app = await start(t, { controllers: [handler, other] })
  const guards = app.get('cognito-m2m:handler-guards', { strict: false })
  const contextOf = (host: Class, type: string) =>
    ({
      getType: () => type,
      getClass: () => host,
      getHandler: () => host.prototype.handle,
    }) as never as ExecutionContext
  t.equal(guards.find(contextOf(handler, 'rpc')), 'public')
  t.throws(() => guards.find(contextOf(other, 'rpc')), { name: 'OptionError' })
  t.not(guards.find(contextOf(other, 'http')), 'public')
})
