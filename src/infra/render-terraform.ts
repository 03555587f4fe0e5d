/** A definition → Terraform. */
import type { ReadDefinition } from './definition.ts'

const POOL = 'aws_cognito_user_pool.main'

/** Quotes a text so that nothing in it is a template. */
const quoted = (text: string): string => `"${literal(text)}"`

const literal = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/\\b|\\f/g, (mark) => (mark === '\\b' ? '\\u0008' : '\\u000c'))
    .replace(/[$%](?=\{)/g, '$&$&')

const block = (type: string, name: string, lines: readonly string[]): string =>
  `resource "${type}" "${name}" {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`

export function renderTerraform(definition: ReadDefinition): string {
  const { name, domain, resourceServers, clients } = definition
  const servers = resourceServers.map(({ identifier }) => identifier)
  const blocks = [block('aws_cognito_user_pool', 'main', [`name = ${quoted(name)}`])]
  if (domain !== undefined) {
    const lines = [`domain       = ${quoted(domain)}`, `user_pool_id = ${POOL}.id`]
    blocks.push(block('aws_cognito_user_pool_domain', 'main', lines))
  }
  for (const [index, { identifier, scopes }] of resourceServers.entries()) {
    const lines = [
      `user_pool_id = ${POOL}.id`,
      `identifier   = ${quoted(identifier)}`,
      `name         = ${quoted(identifier)}`,
    ]
    for (const [scope, description] of Object.entries(scopes)) {
      lines.push(
        ...['', 'scope {', `  scope_name        = ${quoted(scope)}`],
        ...[`  scope_description = ${quoted(description)}`, '}'],
      )
    }
    blocks.push(block('aws_cognito_resource_server', `server_${index + 1}`, lines))
  }
  for (const [index, client] of clients.entries()) {
    blocks.push(
      block('aws_cognito_user_pool_client', `client_${index + 1}`, [
        `name                                 = ${quoted(client.name)}`,
        `user_pool_id                         = ${POOL}.id`,
        'generate_secret                      = true',
        'allowed_oauth_flows                  = ["client_credentials"]',
        'allowed_oauth_flows_user_pool_client = true',
        `allowed_oauth_scopes                 = [${client.scopes.map((scope) => composed(scope, servers)).join(', ')}]`,
        `access_token_validity                = ${client.accessTokenValidity}`,
        'enable_token_revocation              = true',
        ...['', 'token_validity_units {', '  access_token = "seconds"', '}'],
      ]),
    )
  }
  for (const [key, attribute] of [
    ['user-pool-id', 'id'],
    ['user-pool-arn', 'arn'],
  ] as const) {
    blocks.push(
      block('aws_ssm_parameter', key.replaceAll('-', '_'), [
        `name  = ${quoted(`/${name}/${key}`)}`,
        'type  = "String"',
        `value = ${POOL}.${attribute}`,
      ]),
    )
  }
  return blocks.join('\n')
}

/** From its resource server, so that the client waits for it. */
function composed(scope: string, servers: readonly string[]): string {
  const slash = scope.lastIndexOf('/')
  const server = servers.indexOf(scope.slice(0, slash)) + 1
  const identifier = `\${aws_cognito_resource_server.server_${server}.identifier}`
  return `"${identifier}/${literal(scope.slice(slash + 1))}"`
}
