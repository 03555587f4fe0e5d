/** Names, parameters and options that REST and HTTP APIs share in CloudFormation. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { toApiWords, toLogicalId } from './names.ts'
import { createCall, createGetAtt, createRef, type Yaml, type YamlMap } from './yaml.ts'

/** The values of a user pool that an API refers to. */
export interface PoolValues {
  readonly arn: Yaml
  readonly issuer: Yaml
  /** The ids of the clients. */
  readonly audience: Yaml
  readonly composeScope: (scope: string) => Yaml
}

/** The logical ids of an API and of what belongs to it. */
export interface ApiIds {
  readonly api: string
  readonly authorizer: string
  readonly integration: string
  readonly stage: string
  readonly logs: string
  /** The parameter with the URL of the backend. */
  readonly backend: string
  readonly url: string
  /** The prefix of other ids. */
  readonly prefix: string
}

/**
 * The stage of a REST API, which begins the paths of its URLs. It is no version, because paths of apps often begin with
 * one: `/v1/v1/orders`.
 */
export const STAGE_NAME = 'live'

/** @param prefix `Api`, and the name of the API in a template of several. */
export const createApiIds = (prefix: string): ApiIds => ({
  api: prefix,
  authorizer: `${prefix}Authorizer`,
  integration: `${prefix}Integration`,
  stage: `${prefix}Stage`,
  logs: `${prefix}Logs`,
  backend: `${prefix}BackendUrl`,
  url: `${prefix}Url`,
  prefix,
})

export const toApiIds = ({ name }: ReadApi): ApiIds =>
  createApiIds(toLogicalId('Api', toApiWords(name)))

/** Creates the error for an API whose resources would have the names of other ones. */
export function createNameError(name: string, index: number): OptionError {
  const problem = `expected a name that differs from others in more than case, signs and the word api, got ${describeValue(name)}. Rename the API.`
  return new OptionError(`apis[${index}].name`, problem)
}

export const createBackendParameter = ({ name }: ReadApi): Yaml => ({
  Type: 'String',
  Description: `URL of the app behind ${name}, for example https://app.example.com`,
  // https only, because the API forwards tokens.
  AllowedPattern: '^https://[^/?#]+$',
  ConstraintDescription: 'https:// and a host, without a path',
})

const STAGE = 'Stage'

/** Creates the parameter of the stage, if the definition has one. */
export const createStageParameter = ({ stage }: ReadDefinition): YamlMap =>
  stage === undefined
    ? {}
    : {
        [STAGE]: {
          Type: 'String',
          Description: 'The stage of the deployment, for example dev or prod',
          Default: stage,
          AllowedPattern: '^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$',
          ConstraintDescription: '1 to 20 lowercase letters, digits and hyphens',
        },
      }

/** Appends the stage to a name. */
export const withStage = (name: string, { stage }: ReadDefinition): Yaml =>
  stage === undefined ? name : createCall('Sub', `${name}-\${${STAGE}}`)

/** Returns the name of an SSM parameter as text of `Fn::Sub`. */
export const toParameterName = ({ name, stage }: ReadDefinition, key: string): string =>
  stage === undefined ? `/${name}/${key}` : `/${name}/\${${STAGE}}/${key}`

/** Creates a property for tags, which are a map in some resources. */
export const createTagMap = ({ tags }: ReadDefinition, property = 'Tags'): YamlMap =>
  tags === undefined ? {} : { [property]: tags }

/** Creates the property `Tags` of resources that take a list. */
export const createTagList = ({ tags }: ReadDefinition): YamlMap =>
  tags === undefined ? {} : { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }

/**
 * Creates the host of the backend, which is a variable of the stage of a REST API. A new backend then needs no new
 * deployment.
 */
export const createBackendHost = ({ backend }: ApiIds): Yaml =>
  createCall('Select', [1, createCall('Split', ['https://', createRef(backend)])])

/** Creates the authorization of a route: its authorizer, and the scopes that the authorizer accepts. */
export function createAuthorization(
  type: string,
  route: GatewayRoute,
  { authorizer }: ApiIds,
  { composeScope }: PoolValues,
): YamlMap {
  if (route.isPublic) return { AuthorizationType: 'NONE' }
  const authorization = { AuthorizationType: type, AuthorizerId: createRef(authorizer) }
  if (route.scopes.length === 0) return authorization
  return { ...authorization, AuthorizationScopes: route.scopes.map(composeScope) }
}

/** Variables of the access log by its members. The client is known if the authorizer accepted the token. */
const LOGGED = {
  requestId: 'requestId',
  time: 'requestTime',
  ip: 'identity.sourceIp',
  method: 'httpMethod',
  path: 'path',
  status: 'status',
  clientId: 'authorizer.claims.client_id',
  authorizerError: 'authorizer.error',
}

/** The format of the access log: a line of JSON for each request, without tokens. */
export const ACCESS_LOG_FORMAT: string = JSON.stringify(
  Object.fromEntries(
    Object.entries(LOGGED).map(([name, variable]) => [name, `$context.${variable}`]),
  ),
)

/** Creates the log group of an API, if it has an access log. */
export const createLogGroup = (
  { accessLogDays }: ReadApi,
  { logs }: ApiIds,
  definition: ReadDefinition,
): YamlMap =>
  accessLogDays === undefined
    ? {}
    : {
        [logs]: {
          Type: 'AWS::Logs::LogGroup',
          Properties: { RetentionInDays: accessLogDays, ...createTagList(definition) },
        },
      }

/** Creates the property of a stage that refers to the log group. */
export const createLogSettings = (
  { accessLogDays }: ReadApi,
  { logs }: ApiIds,
  property: 'AccessLogSetting' | 'AccessLogSettings',
): YamlMap =>
  accessLogDays === undefined
    ? {}
    : { [property]: { DestinationArn: createGetAtt(logs, 'Arn'), Format: ACCESS_LOG_FORMAT } }

/** Creates the property of a stage that limits requests. */
export function createThrottling({ kind, throttling }: ReadApi): YamlMap {
  if (throttling === undefined) return {}
  const settings = {
    ThrottlingRateLimit: throttling.rate,
    ThrottlingBurstLimit: throttling.burst,
  }
  return kind === 'rest'
    ? { MethodSettings: [{ ResourcePath: '/*', HttpMethod: '*', ...settings }] }
    : { DefaultRouteSettings: settings }
}
