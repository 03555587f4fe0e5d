/** A user pool in Terraform: its resource servers, clients, parameters and outputs. */
import { parseIdentifier } from '../check/scopes.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { type HclBlock, hclLiteral, hclText, resource } from './hcl.ts'
import { nameWords, serverName, terraformName } from './names.ts'

export const POOL = 'aws_cognito_user_pool.main'

const localName = (text: string): string => terraformName(nameWords(text))
export const clientAddress = (name: string): string =>
  `aws_cognito_user_pool_client.${localName(name)}`

export function poolBlocks(definition: ReadDefinition): readonly HclBlock[] {
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
  const identifier = parseIdentifier(scope)
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
