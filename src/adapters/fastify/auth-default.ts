/** Changes what unannotated routes of one context need: the way to open or guard others' routes. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { rejecting } from '../../core/errors.ts'
import { OptionError, readMembers } from '../../core/options/validate.ts'
import { type AccessRequirement, compileDefault } from '../../core/requirement.ts'
import { REGISTER_OPTIONS } from './register-options.ts'
import { blockDefault, registrationOf, setDefault } from './registrations.ts'

/** Options of {@link authDefault}. */
export interface AuthDefaultOptions {
  /** What routes of this context and below need unless they say so themselves; `false` opens them. */
  readonly auth: AccessRequirement | false
}

function register(app: FastifyInstance, options: AuthDefaultOptions): void {
  // Before anything can fail: an app that swallows the error must not be left with the outer default.
  blockDefault(app)
  const { auth } = readMembers(options, ['auth', ...REGISTER_OPTIONS], 'authDefault')
  const need = auth === false ? false : compileDefault(auth, 'authDefault.auth')
  setDefault(app, need)
  app.addHook('onReady', async () => {
    const registration = registrationOf(app)
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
  rejecting(() => register(app, options))

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
