/** Renders a definition as one CloudFormation template. */
import { OptionError } from '../../../core/options/validate.ts'
import { parseIdentifier } from '../check/scopes.ts'
import { type ReadApi, toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import { API, API_PARAMETERS, type PoolValues } from './gateway.ts'
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
    'Retained when the stack is deleted, because it contains the clients and their secrets.',
    {
      Type: 'AWS::Cognito::UserPool',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        UserPoolName: name,
        DeletionProtection: 'ACTIVE',
        AdminCreateUserConfig: withComment('Machine clients only: users cannot sign up.', {
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
        Scopes: Object.entries(scopes).map(([ScopeName, ScopeDescription]) => {
          return { ScopeName, ScopeDescription }
        }),
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

/** Composes a scope with a reference to its resource server, which makes the client depend on it. */
export function composeScope(scope: string, { resourceServers }: ReadDefinition): Yaml {
  const identifier = parseIdentifier(scope)
  if (!resourceServers.some((server) => server.identifier === identifier)) return scope
  const server = toServerId(identifier)
  const name = scope.slice(identifier.length + 1)
  // A dollar sign begins a variable of !Sub.
  if (name.includes('$')) return createCall('Join', ['/', [createRef(server), name]])
  return createCall('Sub', `\${${server}}/${name}`)
}

const createParameter = (name: string, type: string, value: Yaml): Yaml => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name: name, Type: type, Value: value },
})

/** Publishes the pool to other stacks. JWT authorizers of HTTP APIs need the ids of the clients too. */
export function createSsmParameters({ name, clients, api }: ReadDefinition): YamlMap {
  const id = createRef('UserPool')
  const arn = createGetAtt('UserPool', 'Arn')
  const parameters: Record<string, Yaml> = {
    UserPoolIdParameter: createParameter(`/${name}/user-pool-id`, 'String', id),
    UserPoolArnParameter: createParameter(`/${name}/user-pool-arn`, 'String', arn),
  }
  if (api?.kind !== 'http') return parameters
  const clientIds = clients.map((client) => createRef(toClientId(client.name)))
  const list = createCall('Join', [',', clientIds])
  parameters['AudienceParameter'] = createParameter(`/${name}/client-ids`, 'StringList', list)
  return parameters
}

const createOutput = (key: string, value: Yaml): Yaml => ({
  Value: value,
  Export: { Name: createCall('Sub', `\${AWS::StackName}-${key}`) },
})

/** Secrets are not outputs, because anyone who can read the stack would see them. */
export function createPoolOutputs({ domain, clients }: ReadDefinition): YamlMap {
  const endpoint = `https://\${Domain}.auth.\${AWS::Region}.amazoncognito.com/oauth2/token`
  const values: Record<string, Yaml> = {
    UserPoolId: createRef('UserPool'),
    UserPoolArn: createGetAtt('UserPool', 'Arn'),
  }
  if (domain !== undefined) values['TokenEndpoint'] = createCall('Sub', endpoint)
  for (const { name } of clients) values[`${toClientId(name)}Id`] = createRef(toClientId(name))
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, createOutput(key, value)]),
  )
}

/** Quotas of CloudFormation for one template, which AWS does not raise. */
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
  for (const [section, members, max] of [
    ['resources', resources, MAX_RESOURCES],
    ['outputs', outputs, MAX_OUTPUTS],
  ] as const) {
    const { length } = Object.keys(members)
    if (length <= max) continue
    const problem = `expected at most ${max} ${section} in a template, got ${length}. Split the definition.`
    throw new OptionError('definition', problem)
  }
  const sections: Record<string, Yaml> = { AWSTemplateFormatVersion: '2010-09-09' }
  if (sam) sections['Transform'] = 'AWS::Serverless-2016-10-31'
  sections['Description'] = description
  if (Object.keys(parameters).length > 0) sections['Parameters'] = parameters
  return writeYaml({ ...sections, Resources: resources, Outputs: outputs })
}

export const describePool = (name: string): string => `Machine-to-machine access to ${name}`

/** Renders the pool, and the API if there is one. */
export function renderCloudFormation(definition: ReadDefinition): string {
  const { name, api } = definition
  return writeTemplate({
    description: describePool(name),
    sam: false,
    parameters: api === undefined ? {} : API_PARAMETERS,
    resources: {
      ...createPoolResources(definition),
      ...createSsmParameters(definition),
      ...(api === undefined ? {} : createApiResources(api, definition)),
    },
    outputs: {
      ...createPoolOutputs(definition),
      ...(api === undefined ? {} : createApiOutputs(api)),
    },
  })
}

function createApiResources(api: ReadApi, definition: ReadDefinition): YamlMap {
  const pool: PoolValues = {
    arn: createGetAtt('UserPool', 'Arn'),
    issuer: createGetAtt('UserPool', 'ProviderURL'),
    audience: definition.clients.map((client) => createRef(toClientId(client.name))),
    composeScope: (scope) => composeScope(scope, definition),
  }
  const routes = toGatewayRoutes(api, listScopes(definition.resourceServers))
  return api.kind === 'rest'
    ? createRestResources(api, routes, pool)
    : createHttpResources(api, routes, pool)
}

export function createApiOutputs({ kind }: ReadApi): YamlMap {
  const host = `https://\${${API}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}`
  return { ApiUrl: { Value: createCall('Sub', kind === 'rest' ? `${host}/v1` : host) } }
}
