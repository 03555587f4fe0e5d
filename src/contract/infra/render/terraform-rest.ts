/** A REST API in front of a backend, as Terraform's resources. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { backendPath, pathParameters, restPaths } from '../definition/path.ts'
import { type HclAttribute, type HclBlock, hclText, resource } from './hcl.ts'
import { pathWords, terraformName } from './names.ts'
import { composedScope, POOL } from './terraform-pool.ts'

const API: HclAttribute = ['rest_api_id', 'aws_api_gateway_rest_api.main.id']

const resourceAddress = (path: string): string =>
  `aws_api_gateway_resource.${terraformName(pathWords(path))}`
/** What a resource of a path, or its child, names it by. */
const resourceId = (path: string): string =>
  path === '/' || path === ''
    ? 'aws_api_gateway_rest_api.main.root_resource_id'
    : `${resourceAddress(path)}.id`
const routeName = ({ method, path }: GatewayRoute): string =>
  terraformName([method.toLowerCase(), ...pathWords(path)])

export function restBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const paths = restPaths(routes.map(({ path }) => path))
  return [
    resource('aws_api_gateway_rest_api', 'main', undefined, [
      ['name', hclText(api.name)],
      { header: 'endpoint_configuration', body: [['types', ['"REGIONAL"']]] },
    ]),
    resource('aws_api_gateway_authorizer', 'main', undefined, [
      API,
      ['name', hclText(api.name)],
      ['type', '"COGNITO_USER_POOLS"'],
      ['provider_arns', [`${POOL}.arn`]],
      ['authorizer_result_ttl_in_seconds', `${api.authorizerTtl}`],
    ]),
    ...paths.map((path) => {
      const slash = path.lastIndexOf('/')
      return resource('aws_api_gateway_resource', terraformName(pathWords(path)), undefined, [
        API,
        ['parent_id', resourceId(path.slice(0, slash))],
        ['path_part', hclText(path.slice(slash + 1))],
      ])
    }),
    ...routes.flatMap((route) => [methodBlock(route, definition), integrationBlock(route)]),
    ...stageBlocks(paths, routes),
  ]
}

function methodBlock(route: GatewayRoute, definition: ReadDefinition): HclBlock {
  const { method, path, open, admitted, note } = route
  const scopes = admitted.map((scope) => composedScope(scope, definition))
  return resource('aws_api_gateway_method', routeName(route), note, [
    API,
    ['resource_id', resourceId(path)],
    ['http_method', hclText(method)],
    ...parameters(path, 'method', () => 'true'),
    ['authorization', open ? '"NONE"' : '"COGNITO_USER_POOLS"'],
    ...(open ? [] : [['authorizer_id', 'aws_api_gateway_authorizer.main.id'] as const]),
    ...(open ? [] : [['authorization_scopes', scopes] as const]),
  ])
}

function integrationBlock(route: GatewayRoute): HclBlock {
  const { method, path } = route
  return resource('aws_api_gateway_integration', routeName(route), undefined, [
    API,
    ['resource_id', resourceId(path)],
    ['http_method', `aws_api_gateway_method.${routeName(route)}.http_method`],
    ['type', '"HTTP_PROXY"'],
    ['integration_http_method', hclText(method)],
    ['uri', `"\${var.backend_url}${backendPath(path)}"`],
    ...parameters(path, 'integration', (name) => `"method.request.path.${name}"`),
  ])
}

/** What a method takes from the path, and an integration from its method. */
function parameters(
  path: string,
  of: 'method' | 'integration',
  value: (name: string) => string,
): readonly HclAttribute[] {
  const names = pathParameters(path)
  if (names.length === 0) return []
  const members = names.map((name) => [`"${of}.request.path.${name}"`, value(name)] as const)
  return [['request_parameters', { members }]]
}

function stageBlocks(
  paths: readonly string[],
  routes: readonly GatewayRoute[],
): readonly HclBlock[] {
  const parts = [
    'aws_api_gateway_authorizer.main',
    ...paths.map(resourceAddress),
    ...routes.map((route) => `aws_api_gateway_method.${routeName(route)}`),
    ...routes.map((route) => `aws_api_gateway_integration.${routeName(route)}`),
  ]
  const list = parts.map((part) => `      ${part},\n`).join('')
  const digest = `sha1(jsonencode([\n${list}    ]))`
  return [
    resource('aws_api_gateway_deployment', 'main', 'A copy, made anew when any of these changes.', [
      API,
      ['triggers', { members: [['redeployment', digest]] }],
      { header: 'lifecycle', body: [['create_before_destroy', 'true']] },
    ]),
    resource('aws_api_gateway_stage', 'main', undefined, [
      API,
      ['deployment_id', 'aws_api_gateway_deployment.main.id'],
      ['stage_name', '"v1"'],
    ]),
  ]
}
