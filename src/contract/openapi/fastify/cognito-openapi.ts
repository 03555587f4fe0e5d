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
  /** What @fastify/swagger is registered with: an OpenAPI document of version 3.0 or 3.1. */
  readonly swagger?: Omit<FastifyDynamicSwaggerOptions, 'mode' | 'swagger'>
}

async function register(app: FastifyInstance, pluginOptions: CognitoOpenApiOptions): Promise<void> {
  const members = readMembers(pluginOptions, [...SCHEME_MEMBERS, 'swagger'], '')
  const scheme = readScheme(members)
  const options = readSwagger(members['swagger'], scheme)
  const transformWith = createTransformFactory(scheme, options.openapi.security)
  const routes: ContextRoute[] = []
  // In front of @fastify/swagger's own hook, which keeps what it finds.
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

/** @throws {OptionError} for what is no OpenAPI 3 that @fastify/swagger makes from routes. */
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

/** A copy with every member as it was, inherited and hidden ones too: who guards reads it later. */
function withTransform<Config extends object>(config: Config, value: SwaggerTransform): Config {
  return Object.create(Object.getPrototypeOf(config), {
    ...Object.getOwnPropertyDescriptors(config),
    swaggerTransform: { value, enumerable: true },
  })
}

const plugin: FastifyPluginAsync<CognitoOpenApiOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Registers @fastify/swagger and adds to its document what each route needs: `security` from its own
 * `config.auth` or the default of its context, and 400, 401, 403 and 503 responses as they are sent.
 *
 * Register it before the routes it is to describe, as @fastify/swagger itself.
 *
 * ```ts
 * await app.register(cognitoOpenApi, {
 *   tokenUrl: 'https://auth.example.com/oauth2/token',
 *   scopes: [orders],
 *   swagger: { openapi: { info: { title: 'Orders', version: '1.0.0' } } },
 * })
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, and when the app gets ready where a
 *   route asks for a scope that nothing in `scopes` defines.
 */
export const cognitoOpenApi: FastifyPluginAsync<CognitoOpenApiOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m-openapi',
})
