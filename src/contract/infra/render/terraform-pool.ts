/** Creates the Terraform resources of a user pool: resource servers, clients, SSM parameters and outputs. */
import { parseIdentifier } from '../check/scopes.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { EXPLICIT_AUTH_FLOWS, toClientKey } from './cloudformation.ts'
import { createResource, type HclAttribute, type HclBlock, toHclLiteral, toHclText } from './hcl.ts'
import { toNameWords, toServerName, toServerWords, toTerraformName } from './names.ts'
import { createTags, withStage } from './terraform-gateway.ts'

export const POOL = 'aws_cognito_user_pool.main'

const toLocalName = (text: string): string => toTerraformName(toNameWords(text))
const toServerLocalName = (identifier: string): string => toTerraformName(toServerWords(identifier))
export const toClientAddress = (name: string): string =>
  `aws_cognito_user_pool_client.${toLocalName(name)}`

export function createPoolBlocks(definition: ReadDefinition): readonly HclBlock[] {
  const { name, domain, resourceServers, clients, apis } = definition
  const note = 'Protected from deletion, because it contains the clients and their secrets.'
  const pool = createResource('aws_cognito_user_pool', 'main', note, [
    ['name', withStage(name, definition)],
    ...createTags(definition),
    ['deletion_protection', '"ACTIVE"'],
    {
      header: 'admin_create_user_config',
      note: 'Machine clients only: users cannot sign up.',
      body: [['allow_admin_create_user_only', 'true']],
    },
    { header: 'lifecycle', body: [['prevent_destroy', 'true']] },
  ])
  const domains =
    domain === undefined
      ? []
      : [
          createResource('aws_cognito_user_pool_domain', 'main', undefined, [
            ['domain', withStage(domain, definition)],
            ['user_pool_id', `${POOL}.id`],
          ]),
        ]
  // JWT authorizers of HTTP APIs in other modules need the ids of the clients.
  const published = apis.some(({ kind }) => kind === 'http') ? clients : []
  return [
    pool,
    ...domains,
    ...resourceServers.map(createServerBlock),
    ...clients.map((client) => createClientBlock(client, definition)),
    createParameter('user_pool_id', 'user-pool-id', `${POOL}.id`, definition),
    createParameter('user_pool_arn', 'user-pool-arn', `${POOL}.arn`, definition),
    ...published.map((client) =>
      createParameter(
        `client_id_${toNameWords(client.name).join('_')}`,
        toClientKey(client.name),
        `${toClientAddress(client.name)}.id`,
        definition,
      ),
    ),
  ]
}

const createServerBlock = ({
  identifier,
  scopes,
}: ReadDefinition['resourceServers'][number]): HclBlock =>
  createResource('aws_cognito_resource_server', toServerLocalName(identifier), undefined, [
    ['user_pool_id', `${POOL}.id`],
    ['identifier', toHclText(identifier)],
    ['name', toHclText(toServerName(identifier))],
    ...Object.entries(scopes).map(([name, description]) => ({
      header: 'scope',
      body: [
        ['scope_name', toHclText(name)],
        ['scope_description', toHclText(description)],
      ] as const,
    })),
  ])

const createClientBlock = (
  client: ReadDefinition['clients'][number],
  definition: ReadDefinition,
): HclBlock =>
  createResource('aws_cognito_user_pool_client', toLocalName(client.name), undefined, [
    ['user_pool_id', `${POOL}.id`],
    ['name', toHclText(client.name)],
    ['generate_secret', 'true'],
    ['explicit_auth_flows', EXPLICIT_AUTH_FLOWS.map(toHclText)],
    ['allowed_oauth_flows_user_pool_client', 'true'],
    ['allowed_oauth_flows', ['"client_credentials"']],
    ['allowed_oauth_scopes', client.scopes.map((scope) => composeScope(scope, definition))],
    ['access_token_validity', `${client.accessTokenValidity}`],
    ['enable_token_revocation', 'true'],
    { header: 'token_validity_units', body: [['access_token', '"seconds"']] },
  ])

/** Composes a scope with a reference to its resource server, which makes the client depend on it. */
export function composeScope(scope: string, { resourceServers }: ReadDefinition): string {
  const identifier = parseIdentifier(scope)
  if (!resourceServers.some((server) => server.identifier === identifier)) return toHclText(scope)
  const server = `aws_cognito_resource_server.${toServerLocalName(identifier)}`
  return `"\${${server}.identifier}/${toHclLiteral(scope.slice(identifier.length + 1))}"`
}

function createParameter(
  localName: string,
  key: string,
  value: string,
  definition: ReadDefinition,
): HclBlock {
  const { name, stage } = definition
  const prefix = stage === undefined ? `/${name}` : `/${name}/\${var.stage}`
  return createResource('aws_ssm_parameter', localName, undefined, [
    ['name', `"${prefix}/${key}"`],
    ['type', '"String"'],
    ['value', value],
    ...createTags(definition),
  ])
}

/** Secrets are not outputs. Anyone who can read the Terraform state sees them anyway. */
export function createPoolOutputs({ domain, clients }: ReadDefinition): readonly HclBlock[] {
  const output = (name: string, value: string): HclBlock => ({
    header: `output "${name}"`,
    body: [['value', value]],
  })
  // A pool's id begins with its region.
  const region = `\${split("_", ${POOL}.id)[0]}`
  const prefix = '${aws_cognito_user_pool_domain.main.domain}'
  const endpoint = `"https://${prefix}.auth.${region}.amazoncognito.com/oauth2/token"`
  const ids = clients.map(({ name }) => [toHclText(name), `${toClientAddress(name)}.id`] as const)
  return [
    output('user_pool_id', `${POOL}.id`),
    output('user_pool_arn', `${POOL}.arn`),
    ...(domain === undefined ? [] : [output('token_endpoint', endpoint)]),
    ...createOutputMap('client_ids', ids),
  ]
}

/** Creates an output with several values by name. None if there are no values. */
export const createOutputMap = (
  name: string,
  members: readonly HclAttribute[],
): readonly HclBlock[] =>
  members.length === 0 ? [] : [{ header: `output "${name}"`, body: [['value', { members }]] }]
