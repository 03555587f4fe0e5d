/** A definition → CloudFormation: one template. */
import { OptionError } from '../../../core/options/validate.ts'
import { parseIdentifier } from '../check/scopes.ts'
import { gatewayRoutes, type ReadApi } from '../definition/api.ts'
import { everyScope, type ReadDefinition } from '../definition/definition.ts'
import { API, apiParameters, type PoolValues } from './gateway.ts'
import { httpResources } from './gateway-http.ts'
import { restResources } from './gateway-rest.ts'
import { logicalId, nameWords, serverName } from './names.ts'
import { attribute, call, commented, ref, type Yaml, type YamlMap, yamlDocument } from './yaml.ts'

const serverId = (identifier: string): string => logicalId('ResourceServer', nameWords(identifier))
export const clientId = (name: string): string => logicalId('Client', nameWords(name))

export function poolResources(definition: ReadDefinition): YamlMap {
  const { name, domain, resourceServers, clients } = definition
  const pool = commented(
    'Kept, whatever becomes of this stack: its clients and their secrets are in it.',
    {
      Type: 'AWS::Cognito::UserPool',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        UserPoolName: name,
        DeletionProtection: 'ACTIVE',
        AdminCreateUserConfig: commented('Machines alone: nobody signs up.', {
          AllowAdminCreateUserOnly: true,
        }),
      },
    },
  )
  const resources: Record<string, Yaml> = { UserPool: pool }
  if (domain !== undefined) {
    resources['Domain'] = {
      Type: 'AWS::Cognito::UserPoolDomain',
      Properties: { UserPoolId: ref('UserPool'), Domain: domain },
    }
  }
  for (const { identifier, scopes } of resourceServers) {
    resources[serverId(identifier)] = {
      Type: 'AWS::Cognito::UserPoolResourceServer',
      Properties: {
        UserPoolId: ref('UserPool'),
        Identifier: identifier,
        Name: serverName(identifier),
        Scopes: Object.entries(scopes).map(([ScopeName, ScopeDescription]) => ({
          ...{ ScopeName, ScopeDescription },
        })),
      },
    }
  }
  for (const client of clients) {
    resources[clientId(client.name)] = {
      Type: 'AWS::Cognito::UserPoolClient',
      Properties: {
        UserPoolId: ref('UserPool'),
        ClientName: client.name,
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: client.scopes.map((scope) => composedScope(scope, definition)),
        AccessTokenValidity: client.accessTokenValidity,
        TokenValidityUnits: { AccessToken: 'seconds' },
        EnableTokenRevocation: true,
      },
    }
  }
  return resources
}

/** From its resource server, so that what names it waits for what defines it. */
export function composedScope(scope: string, { resourceServers }: ReadDefinition): Yaml {
  const identifier = parseIdentifier(scope)
  if (!resourceServers.some((server) => server.identifier === identifier)) return scope
  const server = serverId(identifier)
  const name = scope.slice(identifier.length + 1)
  // In `!Sub` a dollar sign begins a name.
  if (name.includes('$')) return call('Join', ['/', [ref(server), name]])
  return call('Sub', `\${${server}}/${name}`)
}

const parameter = (name: string, type: string, value: Yaml): Yaml => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name: name, Type: type, Value: value },
})

/** Where other stacks find the pool. The clients' ids are there for JWT authorizers, which name them. */
export function publishedParameters({ name, clients, api }: ReadDefinition): YamlMap {
  const ids = clients.map((client) => ref(clientId(client.name)))
  return {
    UserPoolIdParameter: parameter(`/${name}/user-pool-id`, 'String', ref('UserPool')),
    UserPoolArnParameter: parameter(
      `/${name}/user-pool-arn`,
      'String',
      attribute('UserPool', 'Arn'),
    ),
    ...(api?.kind === 'http' && {
      AudienceParameter: parameter(`/${name}/client-ids`, 'StringList', call('Join', [',', ids])),
    }),
  }
}

const output = (key: string, value: Yaml): Yaml => ({
  Value: value,
  Export: { Name: call('Sub', `\${AWS::StackName}-${key}`) },
})

/** Secrets are no outputs: who may read a stack would have them. */
export function poolOutputs({ domain, clients }: ReadDefinition): YamlMap {
  const endpoint = `https://\${Domain}.auth.\${AWS::Region}.amazoncognito.com/oauth2/token`
  const values: Record<string, Yaml> = {
    UserPoolId: ref('UserPool'),
    UserPoolArn: attribute('UserPool', 'Arn'),
    ...(domain !== undefined && { TokenEndpoint: call('Sub', endpoint) }),
  }
  for (const { name } of clients) values[`${clientId(name)}Id`] = ref(clientId(name))
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, output(key, value)]))
}

/** CloudFormation's quotas of one template, which cannot be raised. */
const MAX_RESOURCES = 500
const MAX_OUTPUTS = 200

interface Template {
  readonly description: string
  readonly sam: boolean
  readonly parameters: YamlMap
  readonly resources: YamlMap
  readonly outputs: YamlMap
}

export function writeTemplate({
  description,
  sam,
  parameters,
  resources,
  outputs,
}: Template): string {
  for (const [what, members, most] of [
    ['resources', resources, MAX_RESOURCES],
    ['outputs', outputs, MAX_OUTPUTS],
  ] as const) {
    const { length } = Object.keys(members)
    if (length <= most) continue
    const problem = `makes ${length} ${what}: CloudFormation takes ${most} a template, divide it`
    throw new OptionError('definition', problem)
  }
  return yamlDocument({
    AWSTemplateFormatVersion: '2010-09-09',
    ...(sam && { Transform: 'AWS::Serverless-2016-10-31' }),
    Description: description,
    ...(Object.keys(parameters).length > 0 && { Parameters: parameters }),
    Resources: resources,
    Outputs: outputs,
  })
}

export const poolDescription = (name: string): string => `Machine-to-machine access to ${name}`

/** One template: the pool, and the API where there is one. */
export function renderCloudFormation(definition: ReadDefinition): string {
  const { name, clients, api } = definition
  const pool: PoolValues = {
    arn: attribute('UserPool', 'Arn'),
    issuer: attribute('UserPool', 'ProviderURL'),
    audience: clients.map((client) => ref(clientId(client.name))),
    scope: (scope) => composedScope(scope, definition),
  }
  return writeTemplate({
    description: poolDescription(name),
    sam: false,
    parameters: api === undefined ? {} : apiParameters,
    resources: {
      ...poolResources(definition),
      ...publishedParameters(definition),
      ...(api && apiResources(api, definition, pool)),
    },
    outputs: { ...poolOutputs(definition), ...(api && apiOutputs(api)) },
  })
}

function apiResources(api: ReadApi, definition: ReadDefinition, pool: PoolValues): YamlMap {
  const routes = gatewayRoutes(api, everyScope(definition.resourceServers))
  return api.kind === 'rest' ? restResources(api, routes, pool) : httpResources(api, routes, pool)
}

export function apiOutputs({ kind }: ReadApi): YamlMap {
  const host = `https://\${${API}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}`
  return { ApiUrl: { Value: call('Sub', kind === 'rest' ? `${host}/v1` : host) } }
}
