/** An OpenAPI document → the routes it describes, each with what it needs. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import { readSource, type TemplateSource } from '../read.ts'
import { followReference, readMap, readText, readTreeList, type Tree } from '../syntax/tree.ts'
import { readPlain } from '../syntax/yaml.ts'
import type { AppRequirement, AppRoute } from './route.ts'

/** Scheme name → whether a token of Cognito's is what it takes. */
type Schemes = ReadonlyMap<string, boolean>

/** `components.securitySchemes`. */
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

/** No `security` at all, as an empty one, asks for nothing. */
export function toRequirement(security: Tree | undefined, schemes: Schemes): Security {
  const scopesAt = new Map<string, Position>()
  const requirements = readTreeList(security).map((requirement) => {
    const named = [...readMap(requirement)]
    const scopes: string[] = []
    for (const [name, { at, value }] of named) {
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
    const token = named.some(([name]) => schemes.get(name))
    return { empty: named.length === 0, token, scopes }
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
 * The routes of an OpenAPI 3.0 or 3.1 document, JSON or YAML, for `checkScopes`. What an operation needs
 * is its own `security`, else the document's: several scopes are all needed, several requirements are
 * alternatives, `{}` among them makes it optional, none at all leaves it open. Schemes that take a token of
 * Cognito's are `oauth2` with the `clientCredentials` flow, `http` with `bearer`, and `openIdConnect`; where
 * another one will do as well, the route is marked (`other`). The path of the first server stands in front of
 * each path, as its `basePath`.
 *
 * Nothing is fetched or opened: `$ref` is followed within the document.
 *
 * @param source The document's text, at most 1,000,000 characters; its name is repeated in positions.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column where it is not well-formed, too
 *   large, of another version, spread over several files, or names a security scheme it does not define.
 * @throws {OptionError} `ERR_OPTION_INVALID` where the source is none.
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

/** The path of a server, without the slash at its end. */
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
