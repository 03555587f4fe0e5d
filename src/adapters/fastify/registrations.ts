/**
 * Which registration and which default decide about a route. Fastify's contexts inherit from each
 * other by prototype, and one made before the plugin was registered inherits all the same, so the
 * nearest is found by walking up from the route's own context.
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
  /** What routes of this context and below need unless they say so themselves; `false` opens them. */
  readonly auth: AccessRequirement | false
}

function register(app: FastifyInstance, options: AuthDefaultOptions): void {
  // Before anything can fail: an app that swallows the error must not be left with the outer default.
  blockDefault(app)
  const { auth } = readMembers(options, ['auth', ...REGISTER_OPTIONS], 'authDefault')
  const need = auth === false ? false : compileDefaultRequirement(auth, 'authDefault.auth')
  setDefault(app, need)
  app.addHook('onReady', async () => {
    const registration = findRegistration(app)
    if (registration === undefined) {
      throw new OptionError(
        'authDefault',
        'has no effect: register cognitoAuth in this context or one around it',
      )
    }
    if (need !== false) registration.active?.server.declare(need)
  })
}

const plugin: FastifyPluginAsync<AuthDefaultOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Sets the default of one context, whoever declares the routes in it. If it fails and the app
 * swallows the error, every route of the context answers 500.
 *
 * ```ts
 * app.register(async (docs) => {
 *   docs.register(authDefault, { auth: false })
 *   docs.register(swaggerUi)
 * })
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong requirement, a second one in one context,
 *   or where nothing protects the context.
 */
export const authDefault: FastifyPluginAsync<AuthDefaultOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m-auth-default',
})

/** What a route needs, compiled; `false` is open. */
export type RouteNeed = CompiledRequirement | false

/** One `cognitoAuth` in one context. */
export class Registration {
  /** Set once setup succeeded, and until it is found to be contradicted. */
  active: { readonly server: CoreServer; readonly fallback: RouteNeed } | undefined

  /** Routes elsewhere that declare `config.auth` belong to another plugin. */
  ignoresUnguardedRoutes = false

  /** What every request is answered with while nothing is active. */
  failure: () => AuthError | InternalError = () => notSetUp('ERR_INTERNAL')

  /** Blocks the context for good: an app that swallows the error must not be left unprotected. */
  fail(error: unknown, failure?: Registration['failure']): void {
    this.active = undefined
    const code = error instanceof OptionError ? 'ERR_OPTION_INVALID' : 'ERR_INTERNAL'
    this.failure = failure ?? (() => notSetUp(code))
  }
}

function notSetUp(code: InternalError['code']): InternalError {
  return new InternalError(code, 'Access control is not set up')
}

/** Where `authDefault` failed, no route below has a default that could be trusted. */
type Default = RouteNeed | 'failed'

const registrations = new WeakMap<object, Registration>()
const defaults = new WeakMap<object, Default>()

/**
 * Puts a registration in force for one context and those below. It denies every request until it is
 * active.
 *
 * @throws {OptionError} where the context has one. Which of the two was meant cannot be known, so the
 *   context is blocked.
 */
export function addRegistration(context: FastifyInstance): Registration {
  const other = registrations.get(context)
  if (other === undefined) {
    const registration = new Registration()
    registrations.set(context, registration)
    return registration
  }
  const error = new OptionError(
    'cognitoAuth',
    'is registered twice in one context: list several pools under userPools',
  )
  other.fail(error)
  throw error
}

/**
 * Blocks the default of one context and of those below, until {@link setDefault}.
 *
 * @throws {OptionError} where the context has one; it stays blocked.
 */
function blockDefault(context: FastifyInstance): void {
  const isSecond = defaults.has(context)
  defaults.set(context, 'failed')
  if (isSecond) {
    throw new OptionError('authDefault', 'is registered twice in one context: keep one')
  }
}

/** Sets what unannotated routes of one context and below need. */
export function setDefault(context: FastifyInstance, need: RouteNeed): void {
  defaults.set(context, need)
}

/** The registration that decides about the routes of a context. */
export function findRegistration(context: FastifyInstance): Registration | undefined {
  for (const it of ancestors(context)) {
    const registration = registrations.get(it)
    if (registration !== undefined) return registration
  }
  return undefined
}

/**
 * What an unannotated route of a context needs: the nearest default, its own context's first.
 *
 * @throws {OptionError} where a default failed between the context and its registration: every route
 *   there is blocked, annotated or not.
 */
export function defaultOf(context: FastifyInstance, registration: Registration): RouteNeed {
  const { active } = registration
  if (active === undefined) throw registration.failure()
  let nearest: RouteNeed | undefined
  for (const it of ancestors(context)) {
    const own = defaults.get(it)
    if (own === 'failed') {
      throw new OptionError('authDefault', 'failed in this context: its routes are blocked')
    }
    nearest ??= own
    if (registrations.get(it) === registration) break
  }
  return nearest ?? active.fallback
}

/** The app's outermost context. */
export function rootOf(context: FastifyInstance): FastifyInstance {
  return [...ancestors(context)].at(-1) as FastifyInstance
}

/** The context itself, then the ones around it. */
export function* ancestors(context: FastifyInstance): Generator<FastifyInstance> {
  let it: FastifyInstance = context
  let outer: FastifyInstance | null = Object.getPrototypeOf(context)
  // The root's prototype is a plain object's, of whichever realm: it has none itself.
  while (outer !== null) {
    yield it
    it = outer
    outer = Object.getPrototypeOf(outer)
  }
}
