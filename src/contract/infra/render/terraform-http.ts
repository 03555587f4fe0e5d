/** An HTTP API in front of a backend, as Terraform's resources. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { type HclAttribute, type HclBlock, hclText, resource } from './hcl.ts'
import { pathWords, terraformName } from './names.ts'
import { clientAddress, composedScope, POOL } from './terraform-pool.ts'

const API: HclAttribute = ['api_id', 'aws_apigatewayv2_api.main.id']
const ONE = "For every route: the path is the request's."

export function httpBlocks(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): readonly HclBlock[] {
  const audience = definition.clients.map(({ name }) => `${clientAddress(name)}.id`)
  return [
    resource('aws_apigatewayv2_api', 'main', undefined, [
      ['name', hclText(api.name)],
      ['protocol_type', '"HTTP"'],
    ]),
    resource('aws_apigatewayv2_authorizer', 'main', undefined, [
      API,
      ['name', hclText(api.name)],
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
    resource('aws_apigatewayv2_integration', 'main', ONE, [
      API,
      ['integration_type', '"HTTP_PROXY"'],
      ['integration_method', '"ANY"'],
      ['integration_uri', 'var.backend_url'],
      ['payload_format_version', '"1.0"'],
      ['request_parameters', { members: [['"overwrite:path"', '"$request.path"']] }],
    ]),
    ...routes.map((route) => routeBlock(route, definition)),
    resource('aws_apigatewayv2_stage', 'main', undefined, [
      API,
      ['name', '"$default"'],
      ['auto_deploy', 'true'],
    ]),
  ]
}

function routeBlock(route: GatewayRoute, definition: ReadDefinition): HclBlock {
  const { method, path, open, admitted, note } = route
  const name = terraformName([method.toLowerCase(), ...pathWords(path)])
  const scopes = admitted.map((scope) => composedScope(scope, definition))
  return resource('aws_apigatewayv2_route', name, note, [
    API,
    ['route_key', hclText(`${method} ${path}`)],
    ['target', '"integrations/${aws_apigatewayv2_integration.main.id}"'],
    ['authorization_type', open ? '"NONE"' : '"JWT"'],
    ...(open ? [] : [['authorizer_id', 'aws_apigatewayv2_authorizer.main.id'] as const]),
    ...(scopes.length === 0 ? [] : [['authorization_scopes', scopes] as const]),
  ])
}
