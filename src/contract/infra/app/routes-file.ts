/** Reads and writes routes files, so that routes are checked without running the app. */
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

/** For editors; it ships with the package. */
const SCHEMA = './node_modules/cognito-m2m/schemas/routes.json'
/** Longest explanation that is repeated; names in it are foreign. */
const MAX_PROBLEM = 300
const MEMBERS = ['$schema', 'routes', 'scopes']

/**
 * The text of a routes file: JSON, one member a line, the same text for the same routes.
 *
 * @param resourceServers The resource servers that define the app's scopes, to render templates from the file.
 * @throws {OptionError} `ERR_OPTION_INVALID` naming the route, or resource server, that is none.
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
  const content = {
    $schema: SCHEMA,
    routes: routes.map(({ method, path, basePath, auth, at }) => ({
      ...{ method, path, basePath, auth, at },
    })),
    ...(servers.length > 0 && { scopes: servers }),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/**
 * Reads a routes file. Nothing is executed. A route without `at` stands where the file has it, and so do
 * its scopes.
 *
 * @param source The file's text, at most 1,000,000 characters; its name is repeated in positions.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column where it is not well-formed, too
 *   large, or holds what is no route or no resource server.
 * @throws {OptionError} `ERR_OPTION_INVALID` where the source is none.
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

/** Every text of a requirement is a scope. */
function collectScopePositions(tree: Tree, places: Map<string, Position>): void {
  if (tree.kind === 'list') for (const item of tree.items) collectScopePositions(item, places)
  if (tree.kind === 'map')
    for (const { value } of tree.entries.values()) collectScopePositions(value, places)
  if (tree.kind === 'scalar' && typeof tree.value === 'string') places.set(tree.value, tree.at)
}

/** As JSON has it. */
function toPlainValue(tree: Tree | undefined): unknown {
  if (tree === undefined) return undefined
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toPlainValue)
  return Object.fromEntries(
    [...readMap(tree)].map(([name, { value }]) => [name, toPlainValue(value)]),
  )
}

/** Adds the position in the file to the error for an invalid member. */
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
    throw new TemplateError(tree.at, toPrintable(`${option}: ${problem}`, MAX_PROBLEM))
  }
}
