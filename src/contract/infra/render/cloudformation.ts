/** A definition → CloudFormation: one template. */
import { OptionError } from '../../../core/options/validate.ts'
import { parseIdentifier } from '../check/scopes.ts'
import { type ReadApi, toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import { API, apiParameters, type PoolValues } from './gateway.ts'
import { createHttpResources } from './gateway-http.ts'
import { createRestResources } from './gateway-rest.ts'
import { toLogicalId, toNameWords, toServerName } from './names.ts'
import {
  createCall,
  createGetAtt,
  createRef,
  withComment,
  writeYaml,
  type Yaml,
  type YamlMap,
} from './yaml.ts'

const toServerId = (identifier: string): string =>
  toLogicalId('ResourceServer', toNameWords(identifier))
export const toClientId = (name: string): string => toLogicalId('Client', toNameWords(name))

export function createPoolResources(definition: ReadDefinition): YamlMap {
  const { name, domain, resourceServers, clients } = definition
  const pool = withComment(
    'Kept, whatever becomes of this stack: its clients and their secrets are in it.',
    {
      Type: 'AWS::Cognito::UserPool',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        UserPoolName: name,
        DeletionProtection: 'ACTIVE',
        AdminCreateUserConfig: withComment('Machines alone: nobody signs up.', {
          AllowAdminCreateUserOnly: true,
        }),
      },
    },
  )
  const resources: Record<string, Yaml> = { UserPool: pool }
  if (domain !== undefined) {
    resources['Domain'] = {
      Type: 'AWS::Cognito::UserPoolDomain',
      Properties: { UserPoolId: createRef('UserPool'), Domain: domain },
    }
  }
  for (const { identifier, scopes } of resourceServers) {
    resources[toServerId(identifier)] = {
      Type: 'AWS::Cognito::UserPoolResourceServer',
      Properties: {
        UserPoolId: createRef('UserPool'),
        Identifier: identifier,
        Name: toServerName(identifier),
        Scopes: Object.entries(scopes).map(([ScopeName, ScopeDescription]) => ({
          ...{ ScopeName, ScopeDescription },
        })),
      },
    }
  }
  for (const client of clients) {
    resources[toClientId(client.name)] = {
      Type: 'AWS::Cognito::UserPoolClient',
      Properties: {
        UserPoolId: createRef('UserPool'),
        ClientName: client.name,
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: client.scopes.map((scope) => composeScope(scope, definition)),
        AccessTokenValidity: client.accessTokenValidity,
        TokenValidityUnits: { AccessToken: 'seconds' },
        EnableTokenRevocation: true,
      },
    }
  }
  return resources
}

/** From its resource server, so that what names it waits for what defines it. */
export function composeScope(scope: string, { resourceServers }: ReadDefinition): Yaml {
  const identifier = parseIdentifier(scope)
  if (!resourceServers.some((server) => server.identifier === identifier)) return scope
  const server = toServerId(identifier)
  const name = scope.slice(identifier.length + 1)
  // In `!Sub` a dollar sign begins a name.
  if (name.includes('$')) return createCall('Join', ['/', [createRef(server), name]])
  return createCall('Sub', `\${${server}}/${name}`)
}

const createParameter = (name: string, type: string, value: Yaml): Yaml => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name: name, Type: type, Value: value },
})

/** Where other stacks find the pool. The clients' ids are there for JWT authorizers, which name them. */
export function createSsmParameters({ name, clients, api }: ReadDefinition): YamlMap {
  const ids = clients.map((client) => createRef(toClientId(client.name)))
  return {
    UserPoolIdParameter: createParameter(`/${name}/user-pool-id`, 'String', createRef('UserPool')),
    UserPoolArnParameter: createParameter(
      `/${name}/user-pool-arn`,
      'String',
      createGetAtt('UserPool', 'Arn'),
    ),
    ...(api?.kind === 'http' && {
      AudienceParameter: createParameter(
        `/${name}/client-ids`,
        'StringList',
        createCall('Join', [',', ids]),
      ),
    }),
  }
}

const createOutput = (key: string, value: Yaml): Yaml => ({
  Value: value,
  Export: { Name: createCall('Sub', `\${AWS::StackName}-${key}`) },
})

/** Secrets are no outputs: who may read a stack would have them. */
export function createPoolOutputs({ domain, clients }: ReadDefinition): YamlMap {
  const endpoint = `https://\${Domain}.auth.\${AWS::Region}.amazoncognito.com/oauth2/token`
  const values: Record<string, Yaml> = {
    UserPoolId: createRef('UserPool'),
    UserPoolArn: createGetAtt('UserPool', 'Arn'),
    ...(domain !== undefined && { TokenEndpoint: createCall('Sub', endpoint) }),
  }
  for (const { name } of clients) values[`${toClientId(name)}Id`] = createRef(toClientId(name))
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, createOutput(key, value)]),
  )
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
    const problem = `expected at most ${most} ${what} in a template, got ${length}. Split the definition.`
    throw new OptionError('definition', problem)
  }
  return writeYaml({
    AWSTemplateFormatVersion: '2010-09-09',
    ...(sam && { Transform: 'AWS::Serverless-2016-10-31' }),
    Description: description,
    ...(Object.keys(parameters).length > 0 && { Parameters: parameters }),
    Resources: resources,
    Outputs: outputs,
  })
}

export const describePool = (name: string): string => `Machine-to-machine access to ${name}`

/** One template: the pool, and the API where there is one. */
export function renderCloudFormation(definition: ReadDefinition): string {
  const { name, clients, api } = definition
  const pool: PoolValues = {
    arn: createGetAtt('UserPool', 'Arn'),
    issuer: createGetAtt('UserPool', 'ProviderURL'),
    audience: clients.map((client) => createRef(toClientId(client.name))),
    scope: (scope) => composeScope(scope, definition),
  }
  return writeTemplate({
    description: describePool(name),
    sam: false,
    parameters: api === undefined ? {} : apiParameters,
    resources: {
      ...createPoolResources(definition),
      ...createSsmParameters(definition),
      ...(api && createApiResources(api, definition, pool)),
    },
    outputs: { ...createPoolOutputs(definition), ...(api && createApiOutputs(api)) },
  })
}

function createApiResources(api: ReadApi, definition: ReadDefinition, pool: PoolValues): YamlMap {
  const routes = toGatewayRoutes(api, listScopes(definition.resourceServers))
  return api.kind === 'rest'
    ? createRestResources(api, routes, pool)
    : createHttpResources(api, routes, pool)
}

export function createApiOutputs({ kind }: ReadApi): YamlMap {
  const host = `https://\${${API}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}`
  return { ApiUrl: { Value: createCall('Sub', kind === 'rest' ? `${host}/v1` : host) } }
}
