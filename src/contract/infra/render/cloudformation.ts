/** Renders a definition as one CloudFormation template. */
import { OptionError } from '../../../core/options/validate.ts'
import { parseIdentifier } from '../check/scopes.ts'
import { type ReadApi, toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import {
  type ApiIds,
  createBackendParameter,
  createNameError,
  createStageParameter,
  createTagMap,
  type PoolValues,
  STAGE_NAME,
  toApiIds,
  toParameterName,
  withStage,
} from './gateway.ts'
import { createHttpResources } from './gateway-http.ts'
import { createRestResources } from './gateway-rest.ts'
import { toLogicalId, toNameWords, toServerName, toServerWords } from './names.ts'
import {
  createCall,
  createGetAtt,
  createRef,
  withComment,
  writeYaml,
  type Yaml,
  type YamlMap,
} from './yaml.ts'

/** The only flow without a sign-in. Cognito treats an empty list like none, and then allows sign-ins. */
export const EXPLICIT_AUTH_FLOWS: readonly string[] = ['ALLOW_REFRESH_TOKEN_AUTH']

const toServerId = (identifier: string): string => toLogicalId('Server', toServerWords(identifier))
export const toClientId = (name: string): string => toLogicalId('Client', toNameWords(name))

export function createPoolResources(definition: ReadDefinition): YamlMap {
  const { name, domain, resourceServers, clients } = definition
  const UserPoolId = createRef('UserPool')
  const pool = withComment(
    'Retained when the stack is deleted, because it contains the clients and their secrets.',
    {
      Type: 'AWS::Cognito::UserPool',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        UserPoolName: withStage(name, definition),
        DeletionProtection: 'ACTIVE',
        AdminCreateUserConfig: withComment('Machine clients only: users cannot sign up.', {
          AllowAdminCreateUserOnly: true,
        }),
        ...createTagMap(definition, 'UserPoolTags'),
      },
    },
  )
  const resources: Record<string, Yaml> = { UserPool: pool }
  if (domain !== undefined) {
    resources['Domain'] = {
      Type: 'AWS::Cognito::UserPoolDomain',
      Properties: { UserPoolId, Domain: withStage(domain, definition) },
    }
  }
  for (const { identifier, scopes } of resourceServers) {
    resources[toServerId(identifier)] = {
      Type: 'AWS::Cognito::UserPoolResourceServer',
      Properties: {
        UserPoolId,
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
        UserPoolId,
        ClientName: client.name,
        GenerateSecret: true,
        ExplicitAuthFlows: EXPLICIT_AUTH_FLOWS,
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

/** Returns the key of the SSM parameter with the id of a client. */
export const toClientKey = (name: string): string => `client-id/${toNameWords(name).join('-')}`

/** Publishes the pool to other stacks. JWT authorizers of HTTP APIs need the ids of the clients too. */
export function createSsmParameters(definition: ReadDefinition): YamlMap {
  const { stage, clients, apis } = definition
  const create = (key: string, value: Yaml): Yaml => {
    const name = toParameterName(definition, key)
    const Name = stage === undefined ? name : createCall('Sub', name)
    return {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name, Type: 'String', Value: value, ...createTagMap(definition) },
    }
  }
  const parameters: Record<string, Yaml> = {
    UserPoolIdParameter: create('user-pool-id', createRef('UserPool')),
    UserPoolArnParameter: create('user-pool-arn', createGetAtt('UserPool', 'Arn')),
  }
  if (!apis.some(({ kind }) => kind === 'http')) return parameters
  for (const { name } of clients) {
    const id = toLogicalId('Parameter', toNameWords(name))
    parameters[id] = create(toClientKey(name), createRef(toClientId(name)))
  }
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

/** Renders the pool and its APIs. */
export function renderCloudFormation(definition: ReadDefinition): string {
  const { name, apis } = definition
  let parameters = createStageParameter(definition)
  let resources = { ...createPoolResources(definition), ...createSsmParameters(definition) }
  let outputs = createPoolOutputs(definition)
  for (const [index, api] of apis.entries()) {
    const ids = toApiIds(api)
    const created = createApiResources(api, ids, definition)
    const taken = { ...parameters, ...resources }
    if ([ids.backend, ...Object.keys(created)].some((id) => id in taken)) {
      throw createNameError(api.name, index)
    }
    parameters = { ...parameters, [ids.backend]: createBackendParameter(api) }
    resources = { ...resources, ...created }
    outputs = { ...outputs, ...createApiOutputs(api, ids) }
  }
  return writeTemplate({
    description: describePool(name),
    sam: false,
    parameters,
    resources,
    outputs,
  })
}

function createApiResources(api: ReadApi, ids: ApiIds, definition: ReadDefinition): YamlMap {
  const pool: PoolValues = {
    arn: createGetAtt('UserPool', 'Arn'),
    issuer: createGetAtt('UserPool', 'ProviderURL'),
    audience: definition.clients.map((client) => createRef(toClientId(client.name))),
    composeScope: (scope) => composeScope(scope, definition),
  }
  const routes = toGatewayRoutes(api, listScopes(definition.resourceServers))
  return api.kind === 'rest'
    ? createRestResources(api, routes, ids, pool, definition)
    : createHttpResources(api, routes, ids, pool, definition)
}

export function createApiOutputs({ kind }: ReadApi, { api, url }: ApiIds): YamlMap {
  const host = `https://\${${api}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}`
  return { [url]: { Value: createCall('Sub', kind === 'rest' ? `${host}/${STAGE_NAME}` : host) } }
}
