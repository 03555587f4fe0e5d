/** Changes what unannotated routes of one context need: the way to open or guard others' routes. */
import type { FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { OptionError, readMembers } from '../core/option-error.ts'
import { rejecting } from '../core/rejecting.ts'
import { type AccessRequirement, compileRequirement } from '../core/requirement.ts'
import { addFallback, registrationOf } from './registrations.ts'

/** Options of {@link authDefault}. */
export interface AuthDefaultOptions {
  /** What routes of this context and below need unless they say so themselves; `false` opens them. */
  readonly auth: AccessRequirement | false
}

const plugin: FastifyPluginAsync<AuthDefaultOptions> = (app, options) =>
  rejecting(() => {
    const { auth } = readMembers(options, ['auth'], 'authDefault')
    const need = auth === false ? false : compileRequirement(auth, 'authDefault.auth')
    addFallback(app, need)
    app.addHook('onReady', async () => {
      const registration = registrationOf(app)
      if (registration === undefined) {
        throw new OptionError(
          'authDefault',
          'has no effect: register cognitoAuth in this context or one around it',
        )
      }
      if (need !== false) registration.server.declare(need)
    })
  })

/**
 * Sets the default of one context, whoever declares the routes in it.
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
