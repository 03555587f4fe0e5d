/** Reads the routes of an OpenAPI document, each with its requirement. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import { readSource, type TemplateSource } from '../read.ts'
import { followReference, readMap, readText, readTreeList, type Tree } from '../syntax/tree.ts'
import { readPlain } from '../syntax/yaml.ts'
import type { AppRequirement, AppRoute } from './route.ts'

/** Maps the name of a security scheme to whether it accepts Cognito tokens. */
type Schemes = ReadonlyMap<string, boolean>

/** Reads `components.securitySchemes`. */
function readSchemes(root: Tree): Schemes {
  const components = readMap(readMap(root).get('components')?.value)
  const schemes = new Map<string, boolean>()
  for (const [name, { value }] of readMap(components.get('securitySchemes')?.value)) {
    schemes.set(name, acceptsCognitoToken(followReference(value, root)))
  }
  return schemes
}

function acceptsCognitoToken(scheme: Tree): boolean {
  const members = readMap(scheme)
  const text = (name: string) => readText(members.get(name)?.value)
  switch (text('type')) {
    case 'oauth2':
      return readMap(members.get('flows')?.value).has('clientCredentials')
    case 'http':
      return text('scheme')?.toLowerCase() === 'bearer'
    case 'openIdConnect':
      return true
    default:
      return false
  }
}

type Security = Pick<AppRoute, 'auth'> & { readonly scopesAt: ReadonlyMap<string, Position> }

/** A missing `security` and an empty one both make the operation public. */
export function toRequirement(security: Tree | undefined, schemes: Schemes): Security {
  const scopesAt = new Map<string, Position>()
  const requirements = readTreeList(security).map((requirement) => {
    const entries = [...readMap(requirement)]
    const scopes: string[] = []
    for (const [name, { at, value }] of entries) {
      if (!schemes.has(name)) {
        const problem = `expected a scheme of components.securitySchemes, got ${toPrintable(name)}`
        throw new TemplateError(at, `${problem}. Define the scheme or correct the spelling.`)
      }
      for (const item of readTreeList(value)) {
        const scope = readText(item) as string
        if (schemes.get(name) !== true) continue
        scopes.push(scope)
        if (!scopesAt.has(scope)) scopesAt.set(scope, item.at)
      }
    }
    const token = entries.some(([name]) => schemes.get(name))
    return { empty: entries.length === 0, token, scopes }
  })
  const choices = requirements.filter(({ token }) => token).map(({ scopes }) => scopes)
  const flags: AppRequirement = {
    ...(requirements.some(({ empty }) => empty) && { optional: true }),
    ...(requirements.some(({ empty, token }) => !empty && !token) && { other: true }),
  }
  const auth = requirements.length === 0 ? false : { ...toAlternatives(choices), ...flags }
  return { auth, scopesAt }
}

function toAlternatives(choices: readonly (readonly string[])[]): AppRequirement {
  const [only = []] = choices
  if (choices.length < 2) return only.length === 0 ? {} : { scopes: only }
  return { anyOf: choices.map((choice) => (choice.length === 1 ? String(choice) : choice)) }
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/**
 * Reads the routes of an OpenAPI 3.0 or 3.1 document, in JSON or YAML, for `checkScopes`.
 *
 * The requirement of an operation is its `security`, or else the `security` of the document. Several scopes of one
 * entry are all required. Several entries are alternatives. The entry `{}` makes the token optional. Without
 * entries, the operation is public.
 *
 * Schemes that accept Cognito tokens are `oauth2` with the `clientCredentials` flow, `http` with `bearer`, and
 * `openIdConnect`. If an operation accepts another scheme as an alternative, its route has `other: true`. The path
 * of the first server precedes each path, and is its `basePath`.
 *
 * The function opens no file and sends no request. It follows `$ref` within the document only.
 *
 * @example
 * ```ts
 * const openapi = await readOpenApi({ file, text: await readFile(file, 'utf8') })
 * const findings = checkScopes(model, { openapi })
 * ```
 *
 * @param source The name and the text of the document, at most 1,048,576 characters.
 * @returns One route for each operation.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column. The document is not well-formed, exceeds
 *   a limit, has another version, refers to another file, or names an undefined security scheme.
 * @throws {OptionError} `ERR_OPTION_INVALID` if the source is not an object with `file` and `text`.
 * @see https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object
 */
export async function readOpenApi(source: TemplateSource): Promise<readonly AppRoute[]> {
  const { file, text } = readSource(source, 'source')
  const root = await readPlain(file, text)
  const members = readMap(root)
  const version = readText(members.get('openapi')?.value)
  if (version === undefined || !/^3\.[01](?:\.|$)/.test(version)) {
    const at = members.get('openapi')?.at ?? root.at
    throw new TemplateError(
      at,
      'expected an OpenAPI document of version 3.0 or 3.1, got another document. Pass an OpenAPI document.',
    )
  }
  const schemes = readSchemes(root)
  const routes: AppRoute[] = []
  for (const [path, { at: pathAt, value }] of readMap(members.get('paths')?.value)) {
    if (path.startsWith('x-')) continue
    if (!path.startsWith('/')) {
      throw new TemplateError(
        pathAt,
        `expected a path that begins with a slash, got ${toPrintable(path)}. Add the slash.`,
      )
    }
    const item = readMap(followReference(value, root))
    for (const [method, { at, value: operation }] of item) {
      if (!METHODS.has(method)) continue
      const operationMembers = readMap(operation)
      const servers =
        operationMembers.get('servers') ?? item.get('servers') ?? members.get('servers')
      const security = operationMembers.get('security') ?? members.get('security')
      const basePath = readBasePath(readTreeList(servers?.value)[0])
      routes.push({
        method: method.toUpperCase(),
        path: `${basePath}${path}`,
        basePath,
        ...toRequirement(security?.value, schemes),
        at,
      })
    }
  }
  return routes
}

/** Returns the path of a server, without a trailing slash. */
function readBasePath(server: Tree | undefined): string {
  const members = readMap(server)
  const variables = readMap(members.get('variables')?.value)
  const url = members.get('url')?.value
  const text = (readText(url) ?? '').replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = readText(readMap(variables.get(name)?.value).get('default')?.value)
    if (value !== undefined) return value
    const problem = `expected a default for the server variable ${toPrintable(name)}, got none`
    throw new TemplateError((url as Tree).at, `${problem}. Add a default.`)
  })
  const [, path = ''] = /^(?:(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*)?(\/[^?#]*)/i.exec(text) ?? []
  return path
    .split('/')
    .map((part) => (part === '' ? '' : `/${part}`))
    .join('')
}
