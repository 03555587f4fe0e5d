/** Creates an OpenAPI document with the security requirements of an app's routes. */

import type { AppRequirement, AppRoute } from '../../contract/infra/index.ts'
import { type OpenApiParts, openApiParts } from '../../contract/openapi/index.ts'
import { type AccessRequirement, anyOf } from '../../core/requirement.ts'
import type { ResourceServerDefinition } from '../../core/scopes.ts'

export interface DocumentOptions {
  readonly title: string
  readonly tokenUrl: string
  readonly resourceServers: readonly ResourceServerDefinition[]
}

/** Methods with an operation in OpenAPI. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

type Path = Record<string, unknown>

/** Creates an OpenAPI 3.1 document. Routes with other methods are omitted. */
export function createOpenApiDocument(
  routes: readonly AppRoute[],
  options: DocumentOptions,
): object {
  const { title, tokenUrl, resourceServers } = options
  const parts = openApiParts({ tokenUrl, scopes: resourceServers })
  const responses = new ResponseComponents()
  const paths = new Map<string, Path>()
  const names = new Map<string, string>()
  for (const { method, path: declared, auth } of routes) {
    const path = unifyParameterNames(toTemplatePath(declared), names)
    const operations = paths.get(path) ?? createPathItem(path)
    for (const name of method === 'ANY' ? METHODS : [method.toLowerCase()]) {
      // The first declared route handles a request.
      if (METHODS.includes(name)) operations[name] ??= createOperation(auth, parts, responses)
    }
    if (METHODS.some((name) => name in operations)) paths.set(path, operations)
  }
  return {
    openapi: '3.1.0',
    info: { title, version: '1.0.0' },
    components: {
      securitySchemes: parts.securitySchemes(),
      responses: Object.fromEntries(responses.byName),
    },
    paths: Object.fromEntries(paths),
  }
}

/** Converts `/orders/:id` to `/orders/{id}`, and `*` to `{rest}`. */
function toTemplatePath(path: string): string {
  let rests = 0
  return path.replace(/:(\w+)|\*/g, (_, name: string | undefined) => {
    if (name !== undefined) return `{${name}}`
    rests += 1
    return rests === 1 ? '{rest}' : `{rest${rests}}`
  })
}

/** Gives paths that differ in parameter names only the names of the first. */
function unifyParameterNames(path: string, names: Map<string, string>): string {
  const shape = path.replace(/\{\w+\}/g, '{}')
  const name = names.get(shape) ?? path
  names.set(shape, name)
  return name
}

function createPathItem(path: string): Path {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return parameters.length === 0 ? {} : { parameters }
}

/** The names of responses in `components`, by status. */
const RESPONSE_NAMES = new Map([
  ['2XX', 'Success'],
  ['400', 'InvalidRequest'],
  ['401', 'Unauthorized'],
  ['403', 'Forbidden'],
  ['503', 'Unavailable'],
])

/** Collects each response once, however many operations have it. Other responses of a status get a number. */
class ResponseComponents {
  readonly byName: Map<string, object> = new Map()
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  /** Returns a reference to the response. */
  refer(status: string, response: object): object {
    const key = `${status} ${JSON.stringify(response)}`
    const name = this.#names.get(key) ?? this.#createName(status)
    this.#names.set(key, name)
    this.byName.set(name, response)
    return { $ref: `#/components/responses/${name}` }
  }

  #createName(status: string): string {
    const count = (this.#counts.get(status) ?? 0) + 1
    this.#counts.set(status, count)
    return `${RESPONSE_NAMES.get(status)}${count === 1 ? '' : count}`
  }
}

function createOperation(
  auth: AppRoute['auth'],
  parts: OpenApiParts,
  components: ResponseComponents,
): object {
  const accesses = listAlternatives(auth).map((one) => parts.access(one))
  const security = accesses.flatMap((access) => access.security)
  const distinct = [...new Map(security.map((one) => [JSON.stringify(one), one])).values()]
  const [{ responses } = { responses: {} }] = accesses
  const all = Object.entries({ '2XX': { description: 'Success' }, ...responses })
  const references = all.map(([status, response]) => [status, components.refer(status, response)])
  return { security: distinct, responses: Object.fromEntries(references) }
}

/** Lists alternative requirements, one of which a request must meet. */
function listAlternatives(auth: false | AppRequirement): readonly (AccessRequirement | false)[] {
  if (auth === false) return [false]
  const { scopes = [], anyOf: choices = [], optional = false } = auth
  const [first, ...others] = choices.filter((choice) => typeof choice === 'string')
  if (first !== undefined && scopes.length === 0 && others.length === choices.length - 1) {
    return [{ scopes: anyOf(first, ...others), optional }]
  }
  return (choices.length === 0 ? [[]] : choices).map((choice) => {
    const all = [...scopes, ...[choice].flat()]
    return all.length === 0 ? { optional } : { scopes: all, optional }
  })
}
