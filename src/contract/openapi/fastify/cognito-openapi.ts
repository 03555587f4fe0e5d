/** Registers @fastify/swagger and documents the requirement of each route from its `config.auth`. */
import swagger, { type FastifyDynamicSwaggerOptions, type SwaggerTransform } from '@fastify/swagger'
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { rejectWithError } from '../../../core/errors.ts'
import { describeValue, OptionError, readMembers } from '../../../core/options/validate.ts'
import { readScheme, SCHEME_MEMBERS, type Scheme, type SchemeOptions } from '../scheme.ts'
import {
  addResponses,
  attachContext,
  type ContextRoute,
  createTransformFactory,
  describeAccess,
} from './describe.ts'

/** Options of {@link cognitoOpenApi}. */
export interface CognitoOpenApiOptions extends SchemeOptions {
  /**
   * Options of `@fastify/swagger`. `openapi` describes the API, in version 3.0 or 3.1. The options `mode` and
   * `swagger` (OpenAPI 2) are not supported.
   *
   * @defaultValue `{}`
   */
  readonly swagger?: Omit<FastifyDynamicSwaggerOptions, 'mode' | 'swagger'>
}

async function register(app: FastifyInstance, pluginOptions: CognitoOpenApiOptions): Promise<void> {
  const members = readMembers(pluginOptions, [...SCHEME_MEMBERS, 'swagger'], '')
  const scheme = readScheme(members)
  const options = readSwagger(members['swagger'], scheme)
  const transformWith = createTransformFactory(scheme, options.openapi.security)
  const routes: ContextRoute[] = []
  // Before the hook of @fastify/swagger, which stores a copy of the route's config.
  app.addHook('onRoute', function (this: FastifyInstance, route: RouteOptions) {
    routes.push(attachContext(this, route))
    const { config } = route
    if (config?.swaggerTransform === undefined) return
    route.config = withTransform(config, transformWith(config.swaggerTransform))
  })
  await app.register(swagger, {
    ...options,
    transform: transformWith(options.transform),
    transformObject: (document) => {
      const { openapiObject } = document as Extract<typeof document, { openapiObject: unknown }>
      addResponses(openapiObject as Parameters<typeof addResponses>[0])
      return options.transformObject?.(document) ?? openapiObject
    },
  })
  app.addHook('onReady', async () => {
    for (const route of routes) if (route.schema?.hide !== true) describeAccess(route, scheme)
  })
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for options that do not generate OpenAPI 3 from routes. */
function readSwagger(
  value: unknown = {},
  { name, object }: Scheme,
): FastifyDynamicSwaggerOptions & Required<Pick<FastifyDynamicSwaggerOptions, 'openapi'>> {
  if (typeof value !== 'object' || value === null) {
    throw new OptionError(
      'swagger',
      `expected options of @fastify/swagger, got ${describeValue(value)}. Pass an object.`,
    )
  }
  for (const member of ['mode', 'swagger']) {
    if (!(member in value)) continue
    throw new OptionError(
      `swagger.${member}`,
      'expected no such option, got one. Describe the API in swagger.openapi.',
    )
  }
  const options: FastifyDynamicSwaggerOptions = value
  const { openapi = {} } = options
  const securitySchemes = openapi.components?.securitySchemes ?? {}
  if (Object.hasOwn(securitySchemes, name)) {
    throw new OptionError(
      'schemeName',
      `expected a name that swagger.openapi does not use, got ${describeValue(name)}. Choose another name.`,
    )
  }
  const components = {
    ...openapi.components,
    securitySchemes: { ...securitySchemes, [name]: object },
  }
  return { ...options, openapi: { ...openapi, components } as typeof openapi }
}

/** Copies the config with inherited and non-enumerable members, because the guard reads them later. */
function withTransform<Config extends object>(config: Config, value: SwaggerTransform): Config {
  return Object.create(Object.getPrototypeOf(config), {
    ...Object.getOwnPropertyDescriptors(config),
    swaggerTransform: { value, enumerable: true },
  })
}

const plugin: FastifyPluginAsync<CognitoOpenApiOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Registers `@fastify/swagger` and adds the auth requirement of each route to its document. `security` comes from
 * `config.auth` or the default of the route's context. The 400, 401, 403 and 503 responses have the bodies and
 * headers that the guard sends.
 *
 * Register the plugin before the routes that it describes.
 *
 * @example
 * ```ts
 * await app.register(cognitoOpenApi, {
 *   tokenUrl: 'https://auth.example.com/oauth2/token',
 *   scopes: [orders],
 *   swagger: { openapi: { info: { title: 'Orders', version: '1.0.0' } } },
 * })
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration if an option is invalid. The app fails to start with
 *   the same error if a route requires a scope that `scopes` does not define.
 * @see https://github.com/fastify/fastify-swagger
 */
export const cognitoOpenApi: FastifyPluginAsync<CognitoOpenApiOptions> = fastifyPlugin(plugin, {
  fastify: '5.x || 6.x',
  name: 'cognito-m2m-openapi',
})
