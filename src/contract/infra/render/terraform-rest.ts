/** Creates the Terraform resources of a REST API. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { listPathParameters, listRestPaths, toBackendPath } from '../definition/path.ts'
import { STAGE_NAME } from './gateway.ts'
import { createResource, type HclAttribute, type HclBlock, toHclText } from './hcl.ts'
import {
  createLogGroup,
  createLogSettings,
  createTags,
  type TerraformApi,
  toTerraformApi,
  withStage,
} from './terraform-gateway.ts'
import { composeScope, POOL } from './terraform-pool.ts'

/** Returns the reference to the resource of a path, for its methods and children. */
const toResourceId = (path: string, { name, toPathName }: TerraformApi): string =>
  path === '/' || path === ''
    ? `aws_api_gateway_rest_api.${name}.root_resource_id`
    : `aws_api_gateway_resource.${toPathName(path)}.id`
const toApiId = ({ name }: TerraformApi): HclAttribute => [
  'rest_api_id',
  `aws_api_gateway_rest_api.${name}.id`,
]

export function createRestBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const names = toTerraformApi(api)
  const paths = listRestPaths(routes.map(({ path }) => path))
  return [
    createResource('aws_api_gateway_rest_api', names.name, undefined, [
      ['name', withStage(api.name, definition)],
      ...createTags(definition),
      { header: 'endpoint_configuration', body: [['types', ['"REGIONAL"']]] },
    ]),
    createResource('aws_api_gateway_authorizer', names.name, undefined, [
      toApiId(names),
      ['name', toHclText(api.name)],
      ['type', '"COGNITO_USER_POOLS"'],
      ['provider_arns', [`${POOL}.arn`]],
      ['authorizer_result_ttl_in_seconds', `${api.authorizerTtl}`],
    ]),
    ...paths.map((path) => {
      const slash = path.lastIndexOf('/')
      return createResource('aws_api_gateway_resource', names.toPathName(path), undefined, [
        toApiId(names),
        ['parent_id', toResourceId(path.slice(0, slash), names)],
        ['path_part', toHclText(path.slice(slash + 1))],
      ])
    }),
    ...routes.flatMap((route) => [
      createMethodBlock(route, names, definition),
      createIntegrationBlock(route, names),
    ]),
    ...createLogGroup(api, definition),
    ...createStageBlocks(api, paths, routes, definition),
  ]
}

function createMethodBlock(
  route: GatewayRoute,
  names: TerraformApi,
  definition: ReadDefinition,
): HclBlock {
  const { method, path, isPublic, note } = route
  const attributes: HclAttribute[] = [
    toApiId(names),
    ['resource_id', toResourceId(path, names)],
    ['http_method', toHclText(method)],
    ...createRequestParameters(path, 'method', () => 'true'),
    ['authorization', isPublic ? '"NONE"' : '"COGNITO_USER_POOLS"'],
  ]
  if (!isPublic) {
    const scopes = route.scopes.map((scope) => composeScope(scope, definition))
    attributes.push(['authorizer_id', `aws_api_gateway_authorizer.${names.name}.id`])
    attributes.push(['authorization_scopes', scopes])
  }
  return createResource('aws_api_gateway_method', names.toRouteName(route), note, attributes)
}

function createIntegrationBlock(route: GatewayRoute, names: TerraformApi): HclBlock {
  const { method, path } = route
  return createResource('aws_api_gateway_integration', names.toRouteName(route), undefined, [
    toApiId(names),
    ['resource_id', toResourceId(path, names)],
    ['http_method', `aws_api_gateway_method.${names.toRouteName(route)}.http_method`],
    ['type', '"HTTP_PROXY"'],
    ['integration_http_method', toHclText(method)],
    ['uri', `"\${var.${names.backend}}${toBackendPath(path)}"`],
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
  api: ReadApi,
  paths: readonly string[],
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const names = toTerraformApi(api)
  const { name } = names
  const parts = [
    `aws_api_gateway_authorizer.${name}`,
    ...paths.map((path) => `aws_api_gateway_resource.${names.toPathName(path)}`),
    ...routes.map((route) => `aws_api_gateway_method.${names.toRouteName(route)}`),
    ...routes.map((route) => `aws_api_gateway_integration.${names.toRouteName(route)}`),
  ]
  const list = parts.map((part) => `      ${part},\n`).join('')
  const digest = `sha1(jsonencode([\n${list}    ]))`
  return [
    createResource(
      'aws_api_gateway_deployment',
      name,
      'A snapshot, which is replaced when one of these resources changes.',
      [
        toApiId(names),
        ['triggers', { members: [['redeployment', digest]] }],
        { header: 'lifecycle', body: [['create_before_destroy', 'true']] },
      ],
    ),
    createResource('aws_api_gateway_stage', name, undefined, [
      toApiId(names),
      ['deployment_id', `aws_api_gateway_deployment.${name}.id`],
      ['stage_name', toHclText(STAGE_NAME)],
      ...createTags(definition),
      ...createLogSettings(api),
    ]),
    ...createThrottlingBlocks(api, names),
  ]
}

function createThrottlingBlocks({ throttling }: ReadApi, names: TerraformApi): readonly HclBlock[] {
  if (throttling === undefined) return []
  const { name } = names
  return [
    createResource('aws_api_gateway_method_settings', name, undefined, [
      toApiId(names),
      ['stage_name', `aws_api_gateway_stage.${name}.stage_name`],
      ['method_path', '"*/*"'],
      {
        header: 'settings',
        body: [
          ['throttling_rate_limit', `${throttling.rate}`],
          ['throttling_burst_limit', `${throttling.burst}`],
        ],
      },
    ]),
  ]
}
