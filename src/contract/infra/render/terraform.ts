/** Renders a definition as one Terraform file. */

import { type ReadApi, toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import { createNameError } from './gateway.ts'
import { type HclBlock, toHclText, writeHcl } from './hcl.ts'
import { toTerraformApi } from './terraform-gateway.ts'
import { createHttpBlocks } from './terraform-http.ts'
import { createOutputMap, createPoolBlocks, createPoolOutputs } from './terraform-pool.ts'
import { createRestBlocks } from './terraform-rest.ts'

const PROVIDER: HclBlock = {
  header: 'terraform',
  body: [
    ['required_version', '">= 1.3, < 2.0"'],
    {
      header: 'required_providers',
      body: [
        [
          'aws',
          {
            members: [
              ['source', '"hashicorp/aws"'],
              ['version', '">= 5.0, < 7.0"'],
            ],
          },
        ],
      ],
    },
  ],
}

/** Creates a variable with the URL of the app behind an API. */
function createBackendVariable(api: ReadApi): HclBlock {
  const { backend } = toTerraformApi(api)
  return {
    header: `variable "${backend}"`,
    body: [
      ['type', 'string'],
      ['description', `"URL of the app behind ${api.name}, for example https://app.example.com"`],
      {
        header: 'validation',
        note: 'https only, because the API forwards tokens.',
        body: [
          ['condition', `can(regex("^https://[^/?#]+$", var.${backend}))`],
          ['error_message', '"Pass https:// and a host, without a path."'],
        ],
      },
    ],
  }
}

function createVariables({ stage, tags, apis }: ReadDefinition): readonly HclBlock[] {
  const variables: HclBlock[] = []
  if (stage !== undefined) {
    variables.push({
      header: 'variable "stage"',
      body: [
        ['type', 'string'],
        ['description', '"The stage of the deployment, for example dev or prod"'],
        ['default', toHclText(stage)],
        {
          header: 'validation',
          body: [
            ['condition', 'can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.stage))'],
            ['error_message', '"Use 1 to 20 lowercase letters, digits and hyphens."'],
          ],
        },
      ],
    })
  }
  if (tags !== undefined) {
    const members = Object.entries(tags).map(
      ([key, value]) => [toHclText(key), toHclText(value)] as const,
    )
    variables.push({
      header: 'variable "tags"',
      body: [
        ['type', 'map(string)'],
        ['description', '"Tags of every resource that takes them"'],
        ['default', { members }],
      ],
    })
  }
  return [...variables, ...apis.map(createBackendVariable)]
}

export function renderTerraform(definition: ReadDefinition): string {
  const { apis } = definition
  const urls = apis.map((api) => {
    const type = api.kind === 'rest' ? 'aws_api_gateway_stage' : 'aws_apigatewayv2_stage'
    return [toHclText(api.name), `${type}.${toTerraformApi(api).name}.invoke_url`] as const
  })
  return writeHcl([
    PROVIDER,
    ...createVariables(definition),
    ...createPoolBlocks(definition),
    ...createApiBlocks(definition),
    ...createPoolOutputs(definition),
    ...createOutputMap('api_urls', urls),
  ])
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for an API whose resources would have the address of another one. */
function createApiBlocks(definition: ReadDefinition): readonly HclBlock[] {
  const { apis, resourceServers } = definition
  const scopes = listScopes(resourceServers)
  const taken = new Set<string>()
  return apis.flatMap((api, index) => {
    const create = api.kind === 'rest' ? createRestBlocks : createHttpBlocks
    const blocks = create(api, toGatewayRoutes(api, scopes), definition)
    if (blocks.some(({ header }) => taken.has(header))) throw createNameError(api.name, index)
    for (const { header } of blocks) taken.add(header)
    return blocks
  })
}
