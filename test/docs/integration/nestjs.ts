/** An app of NestJS, with the core and with the module. Decorators are called: the tests run without their syntax. */
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  HttpException,
  type ModuleMetadata,
  SetMetadata,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { Auth, Caller, CognitoAuthModule } from '../../../src/adapters/nestjs/index.ts'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  createResourceServer,
  type Guard,
  type VerifiedToken,
} from '../../../src/index.ts'
import { createController, startNest } from '../../support/nestjs.ts'
import type { IntegrationApp } from './app.ts'

const listOrders = (caller: unknown) => ({ caller: (caller as VerifiedToken).clientId })

async function toApp(metadata: ModuleMetadata): Promise<IntegrationApp> {
  const app = await startNest('NestJS on Express', metadata)
  const { port } = app.getHttpServer().address()
  return {
    ask: async (headers) => fetch(`http://127.0.0.1:${port}/orders`, { headers }),
    close: () => app.close(),
  }
}

export async function before(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const server = createResourceServer(options)
  const Requires = (requirement: AccessRequirement) =>
    SetMetadata('guard', server.guard(requirement))
  const CurrentCaller = createParamDecorator(
    (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest().auth,
  )
  class TokenGuard implements CanActivate {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest()
      const guard: Guard<VerifiedToken> =
        Reflect.getMetadata('guard', context.getHandler()) ?? server.guard()
      try {
        request.auth = await guard(request.headersDistinct.authorization, request)
        return true
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        context.switchToHttp().getResponse().set(error.headers)
        throw new HttpException(error.toJSON(), error.statusCode)
      }
    }
  }
  const providers = [{ provide: APP_GUARD, useClass: TokenGuard }]
  const decorators = [Requires({ scopes: 'orders/read' })]
  const parameters = [CurrentCaller()]
  // end
  const orders = { decorators, parameters, run: listOrders }
  return toApp({ providers, controllers: [createController({ orders })] })
}

export async function after(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const imports = [CognitoAuthModule.forRoot(options)]
  const decorators = [Auth({ scopes: 'orders/read' })]
  const parameters = [Caller()]
  // end
  const orders = { decorators, parameters, run: listOrders }
  return toApp({ imports, controllers: [createController({ orders })] })
}
