/** A definition → CloudFormation: one template. */
import { OptionError } from '../../../core/options/validate.ts'
import { gatewayRoutes, type ReadApi } from '../definition/api.ts'
import { everyScope, type ReadDefinition } from '../definition/definition.ts'
import { API, apiParameters, type PoolValues } from './cloudformation-api.ts'
import {
  clientId,
  composedScope,
  poolOutputs,
  poolResources,
  publishedParameters,
} from './cloudformation-pool.ts'
import { httpResources } from './gateway-http.ts'
import { restResources } from './gateway-rest.ts'
import { attribute, call, ref, type YamlMap, yamlDocument } from './yaml.ts'

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
