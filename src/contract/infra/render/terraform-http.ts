/** Creates the Terraform resources of an HTTP API. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { createResource, type HclAttribute, type HclBlock, toHclText } from './hcl.ts'
import {
  createLogGroup,
  createLogSettings,
  createTags,
  type TerraformApi,
  toTerraformApi,
  withStage,
} from './terraform-gateway.ts'
import { composeScope, POOL, toClientAddress } from './terraform-pool.ts'

const INTEGRATION_NOTE = 'One integration for every route. It forwards the path of the request.'

const toApiId = ({ name }: TerraformApi): HclAttribute => [
  'api_id',
  `aws_apigatewayv2_api.${name}.id`,
]

export function createHttpBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const audience = definition.clients.map((client) => `${toClientAddress(client.name)}.id`)
  const names = toTerraformApi(api)
  const { name, backend } = names
  return [
    createResource('aws_apigatewayv2_api', name, undefined, [
      ['name', withStage(api.name, definition)],
      ['protocol_type', '"HTTP"'],
      ...createTags(definition),
    ]),
    createResource('aws_apigatewayv2_authorizer', name, undefined, [
      toApiId(names),
      ['name', toHclText(api.name)],
      ['authorizer_type', '"JWT"'],
      ['identity_sources', ['"$request.header.Authorization"']],
      {
        header: 'jwt_configuration',
        body: [
          ['issuer', `"https://\${${POOL}.endpoint}"`],
          ['audience', audience],
        ],
      },
    ]),
    createResource('aws_apigatewayv2_integration', name, INTEGRATION_NOTE, [
      toApiId(names),
      ['integration_type', '"HTTP_PROXY"'],
      ['integration_method', '"ANY"'],
      ['integration_uri', `var.${backend}`],
      ['payload_format_version', '"1.0"'],
      ['request_parameters', { members: [['"overwrite:path"', '"$request.path"']] }],
    ]),
    ...routes.map((route) => createRouteBlock(route, names, definition)),
    ...createLogGroup(api, definition),
    createResource('aws_apigatewayv2_stage', name, undefined, [
      toApiId(names),
      ['name', '"$default"'],
      ['auto_deploy', 'true'],
      ...createTags(definition),
      ...createLogSettings(api),
      ...createThrottlingBlock(api),
    ]),
  ]
}

function createThrottlingBlock({ throttling }: ReadApi): readonly HclBlock[] {
  if (throttling === undefined) return []
  return [
    {
      header: 'default_route_settings',
      body: [
        ['throttling_rate_limit', `${throttling.rate}`],
        ['throttling_burst_limit', `${throttling.burst}`],
      ],
    },
  ]
}

function createRouteBlock(
  route: GatewayRoute,
  names: TerraformApi,
  definition: ReadDefinition,
): HclBlock {
  const { method, path, isPublic, note } = route
  const { name, toRouteName } = names
  const attributes: HclAttribute[] = [
    toApiId(names),
    ['route_key', toHclText(`${method} ${path}`)],
    ['target', `"integrations/\${aws_apigatewayv2_integration.${name}.id}"`],
    ['authorization_type', isPublic ? '"NONE"' : '"JWT"'],
  ]
  if (!isPublic) attributes.push(['authorizer_id', `aws_apigatewayv2_authorizer.${name}.id`])
  if (route.scopes.length > 0) {
    const scopes = route.scopes.map((scope) => composeScope(scope, definition))
    attributes.push(['authorization_scopes', scopes])
  }
  return createResource('aws_apigatewayv2_route', toRouteName(route), note, attributes)
}
