/** The NestJS module with the types of NestJS: decorators, the module's two forms, and its exception. */
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { anyOf, type VerifiedToken } from 'cognito-m2m'
import { Auth, AuthException, Caller, CognitoAuthModule, Public } from 'cognito-m2m/nestjs'

class OrdersController {
  list(caller: VerifiedToken) {
    return caller.clientId
  }
}
Auth({ scopes: anyOf('a/b', 'a/c') })(OrdersController)
// @ts-expect-error a requirement has no member `scope`
Auth({ scope: 'a/b' })

@Controller('invoices')
@Auth({ scopes: 'a/b' })
class InvoicesController {
  @Get()
  list(@Caller() caller: VerifiedToken) {
    return caller.clientId
  }

  @Get('optional')
  @Auth({ optional: true })
  optional(@Caller({ optional: true }) caller: VerifiedToken | null) {
    return caller?.clientId ?? null
  }

  @Get('health')
  @Public()
  health() {
    return 'ok'
  }
}

@Module({
  imports: [CognitoAuthModule.forRoot({ userPoolId: 'a', clientId: null })],
  controllers: [InvoicesController, OrdersController],
})
class AppModule {}

CognitoAuthModule.forRootAsync({ useFactory: async () => ({ userPoolId: 'a', clientId: null }) })
// @ts-expect-error `clientId` is required
CognitoAuthModule.forRoot({ userPoolId: 'a' })

async function start() {
  const app = await NestFactory.create(AppModule)
  await app.close()
}

start().catch((error: unknown) => {
  if (error instanceof AuthException) process.exitCode = error.getStatus()
})
