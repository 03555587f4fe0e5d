/** Renders a definition as SAM templates: an auth stack, and an API stack that reads its SSM parameters. */
import { type GatewayRoute, type ReadApi, toGatewayRoutes } from '../definition/api.ts'
import { listScopes, type ReadDefinition } from '../definition/definition.ts'
import { listPathParameters, toBackendPath } from '../definition/path.ts'
import {
  createApiOutputs,
  createPoolOutputs,
  createPoolResources,
  createSsmParameters,
  describePool,
  toClientKey,
  writeTemplate,
} from './cloudformation.ts'
import {
  type ApiIds,
  createApiIds,
  createBackendHost,
  createBackendParameter,
  createLogGroup,
  createLogSettings,
  createStageParameter,
  createTagMap,
  createThrottling,
  STAGE_NAME,
  toParameterName,
  withStage,
} from './gateway.ts'
import { createCall, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

/** An API stack has one API. */
const IDS: ApiIds = { ...createApiIds('Api'), backend: 'BackendUrl' }
const ISSUER = 'https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/'

/** Renders the auth stack: the pool and its SSM parameters. */
export const renderSamAuth = (definition: ReadDefinition): string =>
  writeTemplate({
    description: describePool(definition.name),
    sam: true,
    parameters: createStageParameter(definition),
    resources: { ...createPoolResources(definition), ...createSsmParameters(definition) },
    outputs: createPoolOutputs(definition),
  })

/** Renders the stack of an API, which reads the SSM parameters of the auth stack. */
export function renderSamApi(api: ReadApi, definition: ReadDefinition): string {
  const { name, resourceServers } = definition
  const routes = toGatewayRoutes(api, listScopes(resourceServers))
  const names = { Name: withStage(api.name, definition), ...createTagMap(definition) }
  const DefinitionBody = createDocument(api, routes, definition)
  const resource: Yaml =
    api.kind === 'rest'
      ? {
          Type: 'AWS::Serverless::Api',
          Properties: {
            ...names,
            StageName: STAGE_NAME,
            OpenApiVersion: '3.0.1',
            EndpointConfiguration: { Type: 'REGIONAL' },
            Variables: { backend: createBackendHost(IDS) },
            ...createLogSettings(api, IDS, 'AccessLogSetting'),
            ...createThrottling(api),
            DefinitionBody,
          },
        }
      : {
          Type: 'AWS::Serverless::HttpApi',
          Properties: {
            ...names,
            ...createLogSettings(api, IDS, 'AccessLogSettings'),
            ...createThrottling(api),
            DefinitionBody,
          },
        }
  return writeTemplate({
    description: `The API ${api.name}, for clients of ${name}`,
    sam: true,
    parameters: { ...createStageParameter(definition), [IDS.backend]: createBackendParameter(api) },
    resources: { [IDS.api]: resource, ...createLogGroup(api, IDS, definition) },
    outputs: createApiOutputs(api, IDS),
  })
}

/**
 * Reads an SSM parameter of the auth stack. A parameter of the template could not follow the stage, so the API of one
 * stage could accept tokens of another.
 */
const readParameter = (definition: ReadDefinition, key: string, prefix = ''): Yaml => {
  const text = `${prefix}{{resolve:ssm:${toParameterName(definition, key)}}}`
  return text.includes('${') ? createCall('Sub', text) : text
}

/** Creates an OpenAPI document with extensions of API Gateway. SAM adds the stage and its deployments. */
function createDocument(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  definition: ReadDefinition,
): Yaml {
  const paths: Record<string, Record<string, Yaml>> = {}
  for (const route of routes) {
    const method = route.method === 'ANY' ? 'x-amazon-apigateway-any-method' : route.method
    const rendered = withComment(route.note, createOperation(route, api))
    paths[route.path] = { ...paths[route.path], [method.toLowerCase()]: rendered }
  }
  return {
    openapi: '3.0.1',
    info: { title: api.name, version: '1' },
    components: { securitySchemes: { [api.name]: createScheme(api, definition) } },
    paths,
  }
}

const createScheme = ({ kind, authorizerTtl }: ReadApi, definition: ReadDefinition): YamlMap =>
  kind === 'rest'
    ? {
        type: 'apiKey',
        name: 'Authorization',
        in: 'header',
        'x-amazon-apigateway-authtype': 'cognito_user_pools',
        'x-amazon-apigateway-authorizer': {
          type: 'cognito_user_pools',
          providerARNs: [readParameter(definition, 'user-pool-arn')],
          authorizerResultTtlInSeconds: authorizerTtl as number,
        },
      }
    : {
        type: 'oauth2',
        'x-amazon-apigateway-authorizer': {
          type: 'jwt',
          identitySource: '$request.header.Authorization',
          jwtConfiguration: {
            issuer: readParameter(definition, 'user-pool-id', ISSUER),
            audience: definition.clients.map(({ name }) =>
              readParameter(definition, toClientKey(name)),
            ),
          },
        },
      }

function createOperation({ method, path, isPublic, scopes }: GatewayRoute, api: ReadApi): YamlMap {
  const names = listPathParameters(path)
  const parameters = names.map((name) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  return {
    ...(names.length === 0 ? {} : { parameters }),
    security: isPublic ? [] : [{ [api.name]: scopes }],
    responses: {
      [api.kind === 'rest' ? '200' : 'default']: { description: 'The response of the app.' },
    },
    'x-amazon-apigateway-integration':
      api.kind === 'http' ? createHttpIntegration() : createRestIntegration(method, path, names),
  }
}

const createHttpIntegration = (): YamlMap => ({
  type: 'http_proxy',
  httpMethod: 'ANY',
  uri: createRef(IDS.backend),
  payloadFormatVersion: '1.0',
  requestParameters: { 'overwrite:path': '$request.path' },
})

function createRestIntegration(method: string, path: string, names: readonly string[]): YamlMap {
  const integration = {
    type: 'http_proxy',
    httpMethod: method,
    uri: `https://\${stageVariables.backend}${toBackendPath(path)}`,
  }
  if (names.length === 0) return integration
  const requestParameters = Object.fromEntries(
    names.map((name) => [`integration.request.path.${name}`, `method.request.path.${name}`]),
  )
  return { ...integration, requestParameters }
}
