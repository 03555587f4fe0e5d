/** A definition → Terraform: one file of one module. */

import { gatewayRoutes } from '../definition/api.ts'
import { everyScope, type ReadDefinition } from '../definition/definition.ts'
import { type HclBlock, hclDocument } from './hcl.ts'
import { httpBlocks } from './terraform-http.ts'
import { poolBlocks, poolOutputs } from './terraform-pool.ts'
import { restBlocks } from './terraform-rest.ts'

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
    [
      'description',
      '"Where the app behind the API is reached, for example https://app.example.com"',
    ],
    {
      header: 'validation',
      note: 'Tokens are passed on to it.',
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
    return hclDocument([PROVIDER, ...poolBlocks(definition), ...poolOutputs(definition)])
  }
  const routes = gatewayRoutes(api, everyScope(resourceServers))
  const write = api.kind === 'rest' ? restBlocks : httpBlocks
  return hclDocument([
    ...[PROVIDER, BACKEND],
    ...poolBlocks(definition),
    ...write(api, routes, definition),
    ...poolOutputs(definition),
    { header: 'output "api_url"', body: [['value', `${stage(api.kind)}.invoke_url`]] },
  ])
}

const stage = (kind: 'rest' | 'http'): string =>
  kind === 'rest' ? 'aws_api_gateway_stage.main' : 'aws_apigatewayv2_stage.main'
