/** Creates the Terraform resources of a REST API. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { listPathParameters, listRestPaths, toBackendPath } from '../definition/path.ts'
import { createResource, type HclAttribute, type HclBlock, toHclText } from './hcl.ts'
import { toPathWords, toTerraformName } from './names.ts'
import { composeScope, POOL } from './terraform-pool.ts'

const API: HclAttribute = ['rest_api_id', 'aws_api_gateway_rest_api.main.id']

const toResourceAddress = (path: string): string =>
  `aws_api_gateway_resource.${toTerraformName(toPathWords(path))}`
/** Returns the reference to the resource of a path, for its methods and children. */
const toResourceId = (path: string): string =>
  path === '/' || path === ''
    ? 'aws_api_gateway_rest_api.main.root_resource_id'
    : `${toResourceAddress(path)}.id`
const toRouteName = ({ method, path }: GatewayRoute): string =>
  toTerraformName([method.toLowerCase(), ...toPathWords(path)])

export function createRestBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const paths = listRestPaths(routes.map(({ path }) => path))
  return [
    createResource('aws_api_gateway_rest_api', 'main', undefined, [
      ['name', toHclText(api.name)],
      { header: 'endpoint_configuration', body: [['types', ['"REGIONAL"']]] },
    ]),
    createResource('aws_api_gateway_authorizer', 'main', undefined, [
      API,
      ['name', toHclText(api.name)],
      ['type', '"COGNITO_USER_POOLS"'],
      ['provider_arns', [`${POOL}.arn`]],
      ['authorizer_result_ttl_in_seconds', `${api.authorizerTtl}`],
    ]),
    ...paths.map((path) => {
      const slash = path.lastIndexOf('/')
      return createResource(
        'aws_api_gateway_resource',
        toTerraformName(toPathWords(path)),
        undefined,
        [
          API,
          ['parent_id', toResourceId(path.slice(0, slash))],
          ['path_part', toHclText(path.slice(slash + 1))],
        ],
      )
    }),
    ...routes.flatMap((route) => [
      createMethodBlock(route, definition),
      createIntegrationBlock(route),
    ]),
    ...createStageBlocks(paths, routes),
  ]
}

function createMethodBlock(route: GatewayRoute, definition: ReadDefinition): HclBlock {
  const { method, path, isPublic, note } = route
  const attributes: HclAttribute[] = [
    API,
    ['resource_id', toResourceId(path)],
    ['http_method', toHclText(method)],
    ...createRequestParameters(path, 'method', () => 'true'),
    ['authorization', isPublic ? '"NONE"' : '"COGNITO_USER_POOLS"'],
  ]
  if (!isPublic) {
    const scopes = route.scopes.map((scope) => composeScope(scope, definition))
    attributes.push(['authorizer_id', 'aws_api_gateway_authorizer.main.id'])
    attributes.push(['authorization_scopes', scopes])
  }
  return createResource('aws_api_gateway_method', toRouteName(route), note, attributes)
}

function createIntegrationBlock(route: GatewayRoute): HclBlock {
  const { method, path } = route
  return createResource('aws_api_gateway_integration', toRouteName(route), undefined, [
    API,
    ['resource_id', toResourceId(path)],
    ['http_method', `aws_api_gateway_method.${toRouteName(route)}.http_method`],
    ['type', '"HTTP_PROXY"'],
    ['integration_http_method', toHclText(method)],
    ['uri', `"\${var.backend_url}${toBackendPath(path)}"`],
    ...createRequestParameters(path, 'integration', (name) => `"method.request.path.${name}"`),
  ])
}

/** Declares the path parameters of a method, or maps those of an integration. */
function createRequestParameters(
  path: string,
  of: 'method' | 'integration',
  value: (name: string) => string,
): readonly HclAttribute[] {
  const names = listPathParameters(path)
  if (names.length === 0) return []
  const members = names.map((name) => [`"${of}.request.path.${name}"`, value(name)] as const)
  return [['request_parameters', { members }]]
}

function createStageBlocks(
  paths: readonly string[],
  routes: readonly GatewayRoute[],
): readonly HclBlock[] {
  const parts = [
    'aws_api_gateway_authorizer.main',
    ...paths.map(toResourceAddress),
    ...routes.map((route) => `aws_api_gateway_method.${toRouteName(route)}`),
    ...routes.map((route) => `aws_api_gateway_integration.${toRouteName(route)}`),
  ]
  const list = parts.map((part) => `      ${part},\n`).join('')
  const digest = `sha1(jsonencode([\n${list}    ]))`
  return [
    createResource(
      'aws_api_gateway_deployment',
      'main',
      'A snapshot, which is replaced when one of these resources changes.',
      [
        API,
        ['triggers', { members: [['redeployment', digest]] }],
        { header: 'lifecycle', body: [['create_before_destroy', 'true']] },
      ],
    ),
    createResource('aws_api_gateway_stage', 'main', undefined, [
      API,
      ['deployment_id', 'aws_api_gateway_deployment.main.id'],
      ['stage_name', '"v1"'],
    ]),
  ]
}
