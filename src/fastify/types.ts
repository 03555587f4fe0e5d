/**
 * What the plugin adds to Fastify's types. `request.auth` follows the route's own `config.auth`;
 * where that cannot be inferred (explicit route generics, a bare `FastifyRequest`, no `config.auth`)
 * it may be null, and says so.
 */
import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
  FastifySchema as Schema,
} from 'fastify'
import type { FastifyRequestType, ResolveFastifyRequestType } from 'fastify/types/type-provider.js'
import type { AccessRequirement } from '../core/requirement.ts'
import type { AuthFor, ResourceServer } from '../core/resource-server.ts'
import type { VerifiedToken } from '../core/verified-token.ts'

/** `request.auth` of a route whose config has the type `Config`. */
export type RequestAuth<Config> = 'auth' extends keyof Config
  ? AuthFor<Config['auth']>
  : VerifiedToken | null

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route needs; `false` opens it. Left out, the default of its context holds. */
    auth?: (AccessRequirement & object) | false
  }

  interface FastifyInstance {
    /** The resource server of the nearest registration of `cognitoAuth`. */
    cognito: ResourceServer
  }

  // Declarations merge only where the type parameters are repeated to the letter.
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends
      RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends Schema = Schema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    RequestType extends FastifyRequestType = ResolveFastifyRequestType<
      TypeProvider,
      SchemaCompiler,
      RouteGeneric
    >,
  > {
    /** The verified token; null on open routes, and on optional ones without a token. */
    auth: RequestAuth<ContextConfig>
  }
}
