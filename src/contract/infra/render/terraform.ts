/** Renders a definition as one Terraform file. */

import { toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import { type HclBlock, writeHcl } from './hcl.ts'
import { createHttpBlocks } from './terraform-http.ts'
import { createPoolBlocks, createPoolOutputs } from './terraform-pool.ts'
import { createRestBlocks } from './terraform-rest.ts'

const PROVIDER: HclBlock = {
  header: 'terraform',
  body: [
    {
      header: 'required_providers',
      body: [
        [
          'aws',
          {
            members: [
              ['source', '"hashicorp/aws"'],
              ['version', '">= 5.0"'],
            ],
          },
        ],
      ],
    },
  ],
}

const BACKEND: HclBlock = {
  header: 'variable "backend_url"',
  body: [
    ['type', 'string'],
    ['description', '"URL of the app behind the API, for example https://app.example.com"'],
    {
      header: 'validation',
      note: 'https only, because the API forwards tokens.',
      body: [
        ['condition', 'can(regex("^https://[^/?#]+$", var.backend_url))'],
        ['error_message', '"Pass https:// and a host, without a path."'],
      ],
    },
  ],
}

export function renderTerraform(definition: ReadDefinition): string {
  const { api, resourceServers } = definition
  if (api === undefined) {
    return writeHcl([PROVIDER, ...createPoolBlocks(definition), ...createPoolOutputs(definition)])
  }
  const routes = toGatewayRoutes(api, listScopes(resourceServers))
  const write = api.kind === 'rest' ? createRestBlocks : createHttpBlocks
  return writeHcl([
    PROVIDER,
    BACKEND,
    ...createPoolBlocks(definition),
    ...write(api, routes, definition),
    ...createPoolOutputs(definition),
    { header: 'output "api_url"', body: [['value', `${getStageAddress(api.kind)}.invoke_url`]] },
  ])
}

const getStageAddress = (kind: 'rest' | 'http'): string =>
  kind === 'rest' ? 'aws_api_gateway_stage.main' : 'aws_apigatewayv2_stage.main'
