/** Reads and writes routes files, which allow checking routes without running the app. */
import { OptionError } from '../../../core/options/validate.ts'
import {
  type DefinedScopes,
  type ResourceServerDefinition,
  readResourceServers,
} from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import { readSource, type TemplateSource } from '../read.ts'
import { readMap, readTreeList, type Tree } from '../syntax/tree.ts'
import { readPlain } from '../syntax/yaml.ts'
import { type AppRoute, readAppRoutes } from './route.ts'

/** The schema that the package ships, for editors. */
const SCHEMA = './node_modules/cognito-m2m/schemas/routes.json'
/** Longest problem in a message, in characters. It may contain names from the file. */
const MAX_PROBLEM_LENGTH = 300
const MEMBERS = ['$schema', 'routes', 'scopes']

/**
 * Creates the text of a routes file: JSON with one member per line. The same routes give the same text.
 *
 * @param routes The routes of the app.
 * @param resourceServers The resource servers that define the app's scopes. `cognito-m2m export` renders templates
 *   from them.
 * @returns The text of the file, which ends in a line break. {@link readRoutes} reads it.
 * @throws {OptionError} `ERR_OPTION_INVALID` with the path of the invalid route or resource server, or of a route
 *   that is `unprotected`.
 */
export function routesFile(
  routes: readonly AppRoute[],
  resourceServers: readonly (ResourceServerDefinition | DefinedScopes)[] = [],
): string {
  const unprotected = readAppRoutes(routes, 'routes').findIndex((route) => route.unprotected)
  if (unprotected !== -1) {
    const problem =
      'expected a route that cognitoAuth protects, got true. Register cognitoAuth in a context around the route.'
    throw new OptionError(`routes[${unprotected}].unprotected`, problem)
  }
  const servers = readResourceServers(resourceServers, 'resourceServers')
  // JSON.stringify omits members that are undefined.
  const content = {
    $schema: SCHEMA,
    routes: routes.map(({ method, path, basePath, auth, at }) => {
      return { method, path, basePath, auth, at }
    }),
    scopes: servers.length > 0 ? servers : undefined,
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/**
 * Reads a routes file. The function executes nothing and opens no file. A route without `at` gets its position in the
 * file, and so do its scopes.
 *
 * @param source The name and the text of the file, at most 1,048,576 characters.
 * @returns The routes of the file.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column if the file is not well-formed, exceeds a
 *   limit, or contains an invalid route or resource server.
 * @throws {OptionError} `ERR_OPTION_INVALID` if the source is not an object with `file` and `text`.
 */
export async function readRoutes(source: TemplateSource): Promise<readonly AppRoute[]> {
  const { file, text } = readSource(source, 'source')
  const root = await readPlain(file, text)
  const members = readMap(root)
  for (const [name, { at }] of members) {
    if (MEMBERS.includes(name)) continue
    throw new TemplateError(
      at,
      `expected one of ${MEMBERS.join(', ')}, got ${toPrintable(name)}. Rename or remove it.`,
    )
  }
  const routes = members.get('routes')?.value
  if (routes === undefined)
    throw new TemplateError(
      root.at,
      'expected a routes file, got no routes. Pass a file with the member routes.',
    )
  const read = readTreeList(routes).map(toRoute)
  withPosition(root, () => {
    readAppRoutes(read, 'routes')
    readResourceServers(toPlainValue(members.get('scopes')?.value) ?? [], 'scopes')
  })
  return read
}

function toRoute(tree: Tree): AppRoute {
  const route = toPlainValue(tree) as AppRoute
  if (tree.kind !== 'map' || tree.entries.has('at')) return route
  const scopesAt = new Map<string, Position>()
  const auth = tree.entries.get('auth')?.value
  if (auth !== undefined) collectScopePositions(auth, scopesAt)
  return { at: tree.at, scopesAt, ...route }
}

/** Every string in a requirement is a scope. */
function collectScopePositions(tree: Tree, positions: Map<string, Position>): void {
  if (tree.kind === 'list') for (const item of tree.items) collectScopePositions(item, positions)
  if (tree.kind === 'map')
    for (const { value } of tree.entries.values()) collectScopePositions(value, positions)
  if (tree.kind === 'scalar' && typeof tree.value === 'string') positions.set(tree.value, tree.at)
}

/** Converts a node to the value that `JSON.parse` returns for it. */
function toPlainValue(tree: Tree | undefined): unknown {
  if (tree === undefined) return undefined
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toPlainValue)
  return Object.fromEntries(
    [...readMap(tree)].map(([name, { value }]) => [name, toPlainValue(value)]),
  )
}

/** Converts the error for an invalid member to one with its position in the file. */
function withPosition(root: Tree, read: () => void): void {
  try {
    read()
  } catch (error) {
    const { option, problem } = error as OptionError
    let tree = root
    for (const [name] of option.matchAll(/[^.[\]]+/g)) {
      const inner: Tree | undefined =
        tree.kind === 'list' ? tree.items[Number(name)] : readMap(tree).get(name)?.value
      if (inner === undefined) break
      tree = inner
    }
    throw new TemplateError(tree.at, toPrintable(`${option}: ${problem}`, MAX_PROBLEM_LENGTH))
  }
}
