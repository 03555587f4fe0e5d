/** A definition → CloudFormation and SAM. */
import { OptionError } from '../core/option-error.ts'
import { gatewayRoutes, type ReadApi } from './api-definition.ts'
import { everyScope, type ReadDefinition } from './definition.ts'
import { API, apiParameters, type PoolValues } from './render-cloudformation-api.ts'
import { httpResources } from './render-cloudformation-http.ts'
import {
  clientId,
  composedScope,
  poolOutputs,
  poolResources,
  publishedParameters,
} from './render-cloudformation-pool.ts'
import { restResources } from './render-cloudformation-rest.ts'
import { attribute, call, ref, type Yaml, type YamlMap, yamlDocument } from './render-yaml.ts'

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

function writeTemplate({ description, sam, parameters, resources, outputs }: Template): string {
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

const poolDescription = (name: string): string => `Machine-to-machine access to ${name}`

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

/** The first of the pair: the pool, and where others find it. */
export const renderSamAuth = (definition: ReadDefinition): string =>
  writeTemplate({
    description: poolDescription(definition.name),
    sam: true,
    parameters: {},
    resources: { ...poolResources(definition), ...publishedParameters(definition) },
    outputs: poolOutputs(definition),
  })

/** The second: what it knows of the pool, it reads where the first one published it. */
export function renderSamApi(definition: ReadDefinition, api: ReadApi): string {
  const { name } = definition
  const published = (type: string, key: string): Yaml => ({
    Type: `AWS::SSM::Parameter::Value<${type}>`,
    Default: `/${name}/${key}`,
  })
  const pool: PoolValues = {
    arn: ref('UserPoolArn'),
    issuer: call('Sub', `https://cognito-idp.\${AWS::Region}.\${AWS::URLSuffix}/\${UserPoolId}`),
    audience: ref('ClientIds'),
    scope: (scope) => scope,
  }
  return writeTemplate({
    description: `The API ${api.name}, for clients of ${name}`,
    sam: true,
    parameters: {
      UserPoolId: published('String', 'user-pool-id'),
      ...(api.kind === 'rest'
        ? { UserPoolArn: published('String', 'user-pool-arn') }
        : { ClientIds: published('List<String>', 'client-ids') }),
      ...apiParameters,
    },
    resources: apiResources(api, definition, pool),
    // What the app behind the API is to be configured with.
    outputs: { ...apiOutputs(api), UserPoolId: { Value: ref('UserPoolId') } },
  })
}

function apiResources(api: ReadApi, definition: ReadDefinition, pool: PoolValues): YamlMap {
  const routes = gatewayRoutes(api, everyScope(definition.resourceServers))
  return api.kind === 'rest' ? restResources(api, routes, pool) : httpResources(api, routes, pool)
}

function apiOutputs({ kind }: ReadApi): YamlMap {
  const host = `https://\${${API}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}`
  return { ApiUrl: { Value: call('Sub', kind === 'rest' ? `${host}/v1` : host) } }
}
