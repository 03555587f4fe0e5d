/** Creates the Terraform resources of an HTTP API. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { createResource, type HclAttribute, type HclBlock, toHclText } from './hcl.ts'
import { toPathWords, toTerraformName } from './names.ts'
import { composeScope, POOL, toClientAddress } from './terraform-pool.ts'

const API: HclAttribute = ['api_id', 'aws_apigatewayv2_api.main.id']
const INTEGRATION_NOTE = 'One integration for every route. It forwards the path of the request.'

export function createHttpBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const audience = definition.clients.map(({ name }) => `${toClientAddress(name)}.id`)
  return [
    createResource('aws_apigatewayv2_api', 'main', undefined, [
      ['name', toHclText(api.name)],
      ['protocol_type', '"HTTP"'],
    ]),
    createResource('aws_apigatewayv2_authorizer', 'main', undefined, [
      API,
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
    createResource('aws_apigatewayv2_integration', 'main', INTEGRATION_NOTE, [
      API,
      ['integration_type', '"HTTP_PROXY"'],
      ['integration_method', '"ANY"'],
      ['integration_uri', 'var.backend_url'],
      ['payload_format_version', '"1.0"'],
      ['request_parameters', { members: [['"overwrite:path"', '"$request.path"']] }],
    ]),
    ...routes.map((route) => createRouteBlock(route, definition)),
    createResource('aws_apigatewayv2_stage', 'main', undefined, [
      API,
      ['name', '"$default"'],
      ['auto_deploy', 'true'],
    ]),
  ]
}

function createRouteBlock(route: GatewayRoute, definition: ReadDefinition): HclBlock {
  const { method, path, isPublic, note } = route
  const name = toTerraformName([method.toLowerCase(), ...toPathWords(path)])
  const attributes: HclAttribute[] = [
    API,
    ['route_key', toHclText(`${method} ${path}`)],
    ['target', '"integrations/${aws_apigatewayv2_integration.main.id}"'],
    ['authorization_type', isPublic ? '"NONE"' : '"JWT"'],
  ]
  if (!isPublic) attributes.push(['authorizer_id', 'aws_apigatewayv2_authorizer.main.id'])
  if (route.scopes.length > 0) {
    const scopes = route.scopes.map((scope) => composeScope(scope, definition))
    attributes.push(['authorization_scopes', scopes])
  }
  return createResource('aws_apigatewayv2_route', name, note, attributes)
}
