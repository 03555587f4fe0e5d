/**
 * The plugin's additions to Fastify's types. The type of `request.auth` depends on the `config.auth` of
 * the route. If that cannot be inferred (explicit route generics, a bare `FastifyRequest`, no
 * `config.auth`), the type includes null.
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
import type { AccessRequirement, AnyOf } from '../../core/requirement.ts'
import type { AuthFor, ResourceServer } from '../../core/resource-server.ts'
import type { Scope } from '../../core/scopes.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'

declare const hint: unique symbol

/**
 * Type of a member that a requirement does not have. No value has this type, so the compiler's error
 * shows the hint.
 */
export interface UnknownMember<Hint extends string> {
  readonly [hint]: Hint
}

/** The scopes a route requires, under a name that keeps compiler errors short. */
export type RequiredScopes = Scope | readonly Scope[] | AnyOf

/** Those of `Scopes` that are no literals, for example `tenants/${string}`. */
type ScopePattern<Scopes extends string> = Scopes extends string
  ? Record<never, never> extends Record<Scopes, unknown>
    ? Scopes
    : never
  : never

/**
 * {@link AccessRequirement} as a route's config declares it. Fastify infers the type of a route's
 * config, which turns off TypeScript's check for unknown members. Likely mistakes are therefore
 * listed here; they are deprecated so that editors offer them last.
 *
 * `NoInfer` keeps a declared type apart from the inferred one. Their intersection would be `never`
 * for a wrong value, and the error would not show what is expected.
 */
export interface RouteRequirement extends Omit<AccessRequirement, 'scope' | 'scopes'> {
  /** One scope, several that are ALL required, or `anyOf(…)` if one is enough. */
  readonly scopes?: ScopePattern<Scope> | NoInfer<RequiredScopes>
  /** @deprecated Did you mean `scopes`? */
  readonly scope?: UnknownMember<"Did you mean 'scopes'?">
  /** @deprecated Did you mean `scopes`? */
  readonly requiredScopes?: UnknownMember<"Did you mean 'scopes'?">
  /** @deprecated Did you mean `clientId`? */
  readonly client?: UnknownMember<"Did you mean 'clientId'?">
  /** @deprecated Did you mean `clientId`? */
  readonly clients?: UnknownMember<"Did you mean 'clientId'?">
  /** @deprecated Did you mean `clientId`? */
  readonly clientID?: UnknownMember<"Did you mean 'clientId'?">
  /** @deprecated Did you mean `clientId`? */
  readonly clientIDs?: UnknownMember<"Did you mean 'clientId'?">
  /** @deprecated Did you mean `clientId`? */
  readonly clientIds?: UnknownMember<"Did you mean 'clientId'?">
  /** @deprecated Did you mean `clientId`? */
  readonly client_id?: UnknownMember<"Did you mean 'clientId'?">
}

/**
 * What a route's `config.auth` may be. The form of the second member lets the compiler report an
 * error at the member that is wrong instead of at `auth`.
 */
export type RequirementOrFalse = (RouteRequirement & object) | (RouteRequirement & false)

/** Names that no requirement has; never where a type does not list its members. */
type UnknownNames<Auth> = string extends keyof Auth
  ? never
  : Auth extends object
    ? Exclude<keyof Auth & string, keyof RouteRequirement>
    : never

/** `request.auth` of a route whose config has the type `Config`. */
export type RequestAuth<Config> = 'auth' extends keyof Config
  ? [UnknownNames<Config['auth']>] extends [never]
    ? AuthFor<Config['auth']>
    : UnknownMember<`A requirement has no member '${UnknownNames<Config['auth']>}'`>
  : VerifiedToken | null

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route requires; `false` makes it public. Without it, the default of its context applies. */
    auth?: NoInfer<RequirementOrFalse>
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
    /** The verified token; null on public routes, and on optional routes without a token. */
    auth: RequestAuth<ContextConfig>
  }
}
