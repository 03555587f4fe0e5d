/** A definition → CloudFormation and SAM, as YAML that every reader of JSON strings reads alike. */
import type { ReadDefinition } from './definition.ts'

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

const ref = (id: string): Json => ({ Ref: id })
const attribute = (id: string, name: string): Json => ({ 'Fn::GetAtt': [id, name] })

/** Block style; every text in double quotes, so that none is taken for anything else. */
function toYaml(value: Json, indent = ''): string {
  if (typeof value !== 'object') return ` ${JSON.stringify(value)}\n`
  if (Array.isArray(value)) {
    const items = value as readonly Json[]
    if (items.length === 0) return ' []\n'
    return `\n${items.map((item) => `${indent}-${toYaml(item, `${indent}  `)}`).join('')}`
  }
  return `\n${Object.entries(value)
    .map(([key, member]) => `${indent}${JSON.stringify(key)}:${toYaml(member, `${indent}  `)}`)
    .join('')}`
}

const document = (members: Json): string => toYaml(members).slice(1)

const parameter = (name: string, value: Json): Json => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name: name, Type: 'String', Value: value },
})

function authResources({ name, domain, resourceServers, clients }: ReadDefinition): Json {
  const resources: Record<string, Json> = {
    UserPool: { Type: 'AWS::Cognito::UserPool', Properties: { UserPoolName: name } },
  }
  if (domain !== undefined) {
    resources['Domain'] = {
      Type: 'AWS::Cognito::UserPoolDomain',
      Properties: { UserPoolId: ref('UserPool'), Domain: domain },
    }
  }
  for (const [index, { identifier, scopes }] of resourceServers.entries()) {
    resources[`ResourceServer${index + 1}`] = {
      Type: 'AWS::Cognito::UserPoolResourceServer',
      Properties: {
        UserPoolId: ref('UserPool'),
        Identifier: identifier,
        Name: identifier,
        Scopes: Object.entries(scopes).map(([ScopeName, ScopeDescription]) => ({
          ...{ ScopeName, ScopeDescription },
        })),
      },
    }
  }
  const servers = resourceServers.map(({ identifier }) => identifier)
  for (const [index, client] of clients.entries()) {
    resources[`Client${index + 1}`] = {
      Type: 'AWS::Cognito::UserPoolClient',
      Properties: {
        UserPoolId: ref('UserPool'),
        ClientName: client.name,
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: client.scopes.map((scope) => composed(scope, servers)),
        AccessTokenValidity: client.accessTokenValidity,
        TokenValidityUnits: { AccessToken: 'seconds' },
        EnableTokenRevocation: true,
      },
    }
  }
  resources['UserPoolIdParameter'] = parameter(`/${name}/user-pool-id`, ref('UserPool'))
  resources['UserPoolArnParameter'] = parameter(
    `/${name}/user-pool-arn`,
    attribute('UserPool', 'Arn'),
  )
  return resources
}

/** From its resource server, so that the client waits for it. */
function composed(scope: string, servers: readonly string[]): Json {
  const slash = scope.lastIndexOf('/')
  const server = `ResourceServer${servers.indexOf(scope.slice(0, slash)) + 1}`
  return { 'Fn::Join': ['/', [ref(server), scope.slice(slash + 1)]] }
}

export const renderCloudFormation = (definition: ReadDefinition): string =>
  document({ AWSTemplateFormatVersion: '2010-09-09', Resources: authResources(definition) })

const TRANSFORM = 'AWS::Serverless-2016-10-31'

export const renderSamAuth = (definition: ReadDefinition): string =>
  document({
    ...{ AWSTemplateFormatVersion: '2010-09-09', Transform: TRANSFORM },
    Resources: authResources(definition),
  })

/** A placeholder behind a guarded API: its handler is what an app replaces. */
export function renderSamApi({ name, resourceServers }: ReadDefinition): string {
  const scopes = resourceServers.flatMap((server) =>
    Object.keys(server.scopes).map((scope) => `${server.identifier}/${scope}`),
  )
  const authorizer = { UserPoolArn: ref('UserPoolArn'), AuthorizationScopes: scopes }
  return document({
    ...{ AWSTemplateFormatVersion: '2010-09-09', Transform: TRANSFORM },
    Parameters: {
      UserPoolId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: `/${name}/user-pool-id` },
      UserPoolArn: {
        Type: 'AWS::SSM::Parameter::Value<String>',
        Default: `/${name}/user-pool-arn`,
      },
    },
    Resources: {
      Api: {
        Type: 'AWS::Serverless::Api',
        Properties: {
          StageName: 'v1',
          Auth: { DefaultAuthorizer: 'Cognito', Authorizers: { Cognito: authorizer } },
        },
      },
      Handler: {
        Type: 'AWS::Serverless::Function',
        Properties: {
          Runtime: 'nodejs22.x',
          Handler: 'index.handler',
          InlineCode: "exports.handler = async () => ({ statusCode: 200, body: '{}' })",
          Environment: { Variables: { USER_POOL_ID: ref('UserPoolId') } },
          Events: {
            Any: {
              Type: 'Api',
              Properties: { RestApiId: ref('Api'), Method: 'any', Path: '/{proxy+}' },
            },
          },
        },
      },
    },
  })
}
