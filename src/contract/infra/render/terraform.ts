/** A definition → Terraform: one file of one module. */

import { identifierOf } from '../check/scope-index.ts'
import { gatewayRoutes } from '../definition/api.ts'
import { everyScope, type ReadDefinition } from '../definition/definition.ts'
import { type HclBlock, hclDocument, hclLiteral, hclText, resource } from './hcl.ts'
import { nameWords, serverName, terraformName } from './names.ts'
import { httpBlocks } from './terraform-http.ts'
import { restBlocks } from './terraform-rest.ts'

export const POOL = 'aws_cognito_user_pool.main'

const localName = (text: string): string => terraformName(nameWords(text))
export const clientAddress = (name: string): string =>
  `aws_cognito_user_pool_client.${localName(name)}`

function poolBlocks(definition: ReadDefinition): readonly HclBlock[] {
  const { name, domain, resourceServers, clients, api } = definition
  const note = 'Kept, whatever becomes of the rest: its clients and their secrets are in it.'
  const pool = resource('aws_cognito_user_pool', 'main', note, [
    ['name', hclText(name)],
    ['deletion_protection', '"ACTIVE"'],
    {
      header: 'admin_create_user_config',
      note: 'Machines alone: nobody signs up.',
      body: [['allow_admin_create_user_only', 'true']],
    },
    { header: 'lifecycle', body: [['prevent_destroy', 'true']] },
  ])
  const domains =
    domain === undefined
      ? []
      : [
          resource('aws_cognito_user_pool_domain', 'main', undefined, [
            ['domain', hclText(domain)],
            ['user_pool_id', `${POOL}.id`],
          ]),
        ]
  const ids = clients.map((client) => `${clientAddress(client.name)}.id`)
  return [
    pool,
    ...domains,
    ...resourceServers.map(serverBlock),
    ...clients.map((client) => clientBlock(client, definition)),
    parameter(name, 'user-pool-id', 'String', `${POOL}.id`),
    parameter(name, 'user-pool-arn', 'String', `${POOL}.arn`),
    ...(api?.kind === 'http'
      ? [parameter(name, 'client-ids', 'StringList', `join(",", [${ids.join(', ')}])`)]
      : []),
  ]
}

const serverBlock = ({ identifier, scopes }: ReadDefinition['resourceServers'][number]): HclBlock =>
  resource('aws_cognito_resource_server', localName(identifier), undefined, [
    ['user_pool_id', `${POOL}.id`],
    ['identifier', hclText(identifier)],
    ['name', hclText(serverName(identifier))],
    ...Object.entries(scopes).map(([name, description]) => ({
      header: 'scope',
      body: [
        ['scope_name', hclText(name)],
        ['scope_description', hclText(description)],
      ] as const,
    })),
  ])

const clientBlock = (
  client: ReadDefinition['clients'][number],
  definition: ReadDefinition,
): HclBlock =>
  resource('aws_cognito_user_pool_client', localName(client.name), undefined, [
    ['user_pool_id', `${POOL}.id`],
    ['name', hclText(client.name)],
    ['generate_secret', 'true'],
    ['allowed_oauth_flows_user_pool_client', 'true'],
    ['allowed_oauth_flows', ['"client_credentials"']],
    ['allowed_oauth_scopes', client.scopes.map((scope) => composedScope(scope, definition))],
    ['access_token_validity', `${client.accessTokenValidity}`],
    ['enable_token_revocation', 'true'],
    { header: 'token_validity_units', body: [['access_token', '"seconds"']] },
  ])

/** From its resource server, so that what names it waits for what defines it. */
export function composedScope(scope: string, { resourceServers }: ReadDefinition): string {
  const identifier = identifierOf(scope)
  if (!resourceServers.some((server) => server.identifier === identifier)) return hclText(scope)
  const server = `aws_cognito_resource_server.${localName(identifier)}`
  return `"\${${server}.identifier}/${hclLiteral(scope.slice(identifier.length + 1))}"`
}

const parameter = (name: string, key: string, type: string, value: string): HclBlock =>
  resource('aws_ssm_parameter', key.replaceAll('-', '_'), undefined, [
    ['name', hclText(`/${name}/${key}`)],
    ['type', hclText(type)],
    ['value', value],
  ])

/** Secrets are no outputs: who may read the state has them all the same. */
export function poolOutputs({ domain, clients }: ReadDefinition): readonly HclBlock[] {
  const output = (name: string, value: string): HclBlock => ({
    header: `output "${name}"`,
    body: [['value', value]],
  })
  // A pool's id begins with its region.
  const region = `\${split("_", ${POOL}.id)[0]}`
  const prefix = '${aws_cognito_user_pool_domain.main.domain}'
  const endpoint = `"https://${prefix}.auth.${region}.amazoncognito.com/oauth2/token"`
  const ids = clients.map(({ name }) => [hclText(name), `${clientAddress(name)}.id`] as const)
  return [
    output('user_pool_id', `${POOL}.id`),
    output('user_pool_arn', `${POOL}.arn`),
    ...(domain === undefined ? [] : [output('token_endpoint', endpoint)]),
    ...(ids.length === 0
      ? []
      : [{ header: 'output "client_ids"', body: [['value', { members: ids }] as const] }]),
  ]
}

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
