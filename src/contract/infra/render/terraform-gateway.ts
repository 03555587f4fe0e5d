/** Names, options and logs that REST and HTTP APIs share in Terraform. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { ACCESS_LOG_FORMAT } from './gateway.ts'
import { createResource, type HclAttribute, type HclBlock, toHclLiteral, toHclText } from './hcl.ts'
import { toApiWords, toPathWords, toTerraformName } from './names.ts'

/** The names of an API in addresses and variables. */
export interface TerraformApi {
  /** The name of its resources: `main`, or the words of its name. */
  readonly name: string
  /** The variable with the URL of the backend. */
  readonly backend: string
  readonly toRouteName: (route: GatewayRoute) => string
  readonly toPathName: (path: string) => string
}

export function toTerraformApi(api: ReadApi): TerraformApi {
  const words = toApiWords(api.name)
  return {
    name: words.length === 0 ? 'main' : toTerraformName(words),
    backend: toTerraformName([...words, 'backend_url']),
    toRouteName: ({ method, path }) =>
      toTerraformName([...words, method.toLowerCase(), ...toPathWords(path)]),
    toPathName: (path) => toTerraformName([...words, ...toPathWords(path)]),
  }
}

/** Creates an expression of a name that the stage ends. */
export const withStage = (name: string, { stage }: ReadDefinition): string =>
  stage === undefined ? toHclText(name) : `"${toHclLiteral(name)}-\${var.stage}"`

/** Creates the argument `tags`. */
export const createTags = ({ tags }: ReadDefinition): readonly HclAttribute[] =>
  tags === undefined ? [] : [['tags', 'var.tags']]

/** Creates the log group of an API, if it has an access log. */
export function createLogGroup(api: ReadApi, definition: ReadDefinition): readonly HclBlock[] {
  if (api.accessLogDays === undefined) return []
  return [
    createResource('aws_cloudwatch_log_group', toTerraformApi(api).name, undefined, [
      ['name', withStage(`/api-gateway/${api.name}`, definition)],
      ['retention_in_days', `${api.accessLogDays}`],
      ...createTags(definition),
    ]),
  ]
}

/** Creates the block of a stage that refers to the log group. */
export function createLogSettings(api: ReadApi): readonly HclBlock[] {
  if (api.accessLogDays === undefined) return []
  return [
    {
      header: 'access_log_settings',
      body: [
        ['destination_arn', `aws_cloudwatch_log_group.${toTerraformApi(api).name}.arn`],
        ['format', toHclText(ACCESS_LOG_FORMAT)],
      ],
    },
  ]
}
