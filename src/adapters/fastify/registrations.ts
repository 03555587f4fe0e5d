/**
 * The registrations of `cognitoAuth` and the defaults of `authDefault`, by context. Fastify's contexts
 * inherit from their parents by prototype, so the nearest of each is an inherited property.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { type AuthError, InternalError, rejectWithError } from '../../core/errors.ts'
import { OptionError, readMembers } from '../../core/options/validate.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  compileDefaultRequirement,
} from '../../core/requirement.ts'
import type { CoreServer } from '../../core/resource-server.ts'
import { REGISTER_OPTIONS } from './register-options.ts'

/** Options of {@link authDefault}. */
export interface AuthDefaultOptions {
  /** The requirement of routes of this context and below that declare none; `false` makes them public. */
  readonly auth: AccessRequirement | false
}

function register(app: FastifyInstance, options: AuthDefaultOptions): void {
  // Before anything can fail: if the app swallows the error, the outer default must not apply here.
  const contextDefault = addBlockedDefault(app)
  const { auth } = readMembers(options, ['auth', ...REGISTER_OPTIONS], 'authDefault')
  const requirement = auth === false ? false : compileDefaultRequirement(auth, 'authDefault.auth')
  contextDefault.requirement = requirement
  app.addHook('onReady', async () => {
    const registration = findRegistration(app)
    if (registration === undefined) {
      throw new OptionError(
        'authDefault',
        'expected cognitoAuth in this context or in one around it, got none. Register cognitoAuth there first.',
      )
    }
    if (requirement !== false) registration.active?.server.declare(requirement)
  })
}

const plugin: FastifyPluginAsync<AuthDefaultOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Fastify plugin that sets the default requirement of one context, also for routes of other plugins. If
 * it fails and the app swallows the error, every route of the context answers 500.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, for a second default in one
 *   context, or if no registration of `cognitoAuth` guards the context.
 * @example
 * ```ts
 * app.register(async (docs) => {
 *   docs.register(authDefault, { auth: false })
 *   docs.register(swaggerUi)
 * })
 * ```
 */
export const authDefault: FastifyPluginAsync<AuthDefaultOptions> = fastifyPlugin(plugin, {
  fastify: '5.x || 6.x',
  name: 'cognito-m2m-auth-default',
})

/** The compiled requirement of a route; `false` makes it public. */
export type CompiledRouteRequirement = CompiledRequirement | false

/** One registration of `cognitoAuth`. */
export class Registration {
  /** Set once setup succeeded; undefined again if a second registration contradicts it. */
  active:
    | { readonly server: CoreServer; readonly defaultRequirement: CompiledRouteRequirement }
    | undefined

  /** Whether unguarded routes that declare `config.auth` belong to another plugin. */
  ignoresUnguardedRoutes = false

  /** Creates the error for every request while the registration is not active. */
  createError: () => AuthError | InternalError = () => createSetupError('ERR_INTERNAL')

  readonly context: FastifyInstance

  constructor(context: FastifyInstance) {
    this.context = context
  }

  /** Blocks the context for good: an app that swallows the error must not be unprotected. */
  block(error: unknown, createError?: Registration['createError']): void {
    this.active = undefined
    const code = error instanceof OptionError ? 'ERR_OPTION_INVALID' : 'ERR_INTERNAL'
    this.createError = createError ?? (() => createSetupError(code))
  }
}

function createSetupError(code: InternalError['code']): InternalError {
  return new InternalError(code, 'Access control is not set up')
}

/** The default of one context. A failed one blocks the routes of the context and below. */
interface ContextDefault {
  readonly context: FastifyInstance
  requirement: CompiledRouteRequirement | 'failed'
}

// A property of a context is inherited by the contexts below it, those created before it included.
const REGISTRATION: unique symbol = Symbol('cognito-m2m.registration')
const DEFAULT: unique symbol = Symbol('cognito-m2m.default')

interface Context {
  readonly [REGISTRATION]?: Registration
  readonly [DEFAULT]?: ContextDefault
}

/**
 * Adds the registration of one context and those below. It denies every request until it is active.
 *
 * @throws {OptionError} if the context has one already. It is unknown which of the two applies, so
 *   the context is blocked.
 */
export function addRegistration(context: FastifyInstance): Registration {
  const nearest = findRegistration(context)
  if (nearest?.context !== context) {
    const registration = new Registration(context)
    Object.defineProperty(context, REGISTRATION, { value: registration })
    return registration
  }
  const error = new OptionError(
    'cognitoAuth',
    'expected one registration per context, got two. List several pools under userPools.',
  )
  nearest.block(error)
  throw error
}

/** Blocks the default of one context and of those below, until its requirement is set. */
function addBlockedDefault(context: FastifyInstance): ContextDefault {
  const blocked: ContextDefault = { context, requirement: 'failed' }
  const isSecond = findDefault(context)?.context === context
  Object.defineProperty(context, DEFAULT, { value: blocked, configurable: true })
  if (isSecond) {
    throw new OptionError(
      'authDefault',
      'expected one registration per context, got two. Remove one of the two.',
    )
  }
  return blocked
}

/** The registration that guards the routes of a context: the nearest one. */
export function findRegistration(context: FastifyInstance): Registration | undefined {
  return (context as Context)[REGISTRATION]
}

/**
 * The requirement of routes of a context that declare none: the nearest default, or the registration's.
 *
 * @throws {OptionError} if a default failed between the context and its registration. Every route there
 *   is blocked, whether it declares a requirement or not.
 */
export function getDefaultRequirement(
  context: FastifyInstance,
  registration: Registration,
): CompiledRouteRequirement {
  const { active } = registration
  if (active === undefined) throw registration.createError()
  let nearest: CompiledRouteRequirement | undefined
  for (let it = findDefault(context); it !== undefined; it = findOuterDefault(it)) {
    if (!isSameOrBelow(it.context, registration.context)) break
    if (it.requirement === 'failed') {
      throw new OptionError(
        'authDefault',
        'expected a successful registration, got a failed one. Fix its error: until then, the routes of its context are blocked.',
      )
    }
    nearest ??= it.requirement
  }
  return nearest ?? active.defaultRequirement
}

function findDefault(context: object): ContextDefault | undefined {
  return (context as Context)[DEFAULT]
}

function findOuterDefault({ context }: ContextDefault): ContextDefault | undefined {
  return findDefault(Object.getPrototypeOf(context))
}

/** Whether a context is `outer` or inherits from it. */
export function isSameOrBelow(context: FastifyInstance, outer: FastifyInstance): boolean {
  return context === outer || Object.prototype.isPrototypeOf.call(outer, context)
}

/** The root context of the app. */
export function getRoot(context: FastifyInstance): FastifyInstance {
  return [...ancestors(context)].at(-1) as FastifyInstance
}

/** Yields the context itself, then those around it. */
export function* ancestors(context: FastifyInstance): Generator<FastifyInstance> {
  let it: FastifyInstance = context
  let outer: FastifyInstance | null = Object.getPrototypeOf(context)
  // The prototype of the root is Object.prototype of any realm, and has no prototype itself.
  while (outer !== null) {
    yield it
    it = outer
    outer = Object.getPrototypeOf(outer)
  }
}
