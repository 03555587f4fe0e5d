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
  writeTemplate,
} from './cloudformation.ts'
import { API_PARAMETERS, BACKEND, BACKEND_HOST } from './gateway.ts'
import { createCall, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

const createPublishedParameter = (name: string, type: string, key: string): Yaml => ({
  Type: `AWS::SSM::Parameter::Value<${type}>`,
  Default: `/${name}/${key}`,
})

/** Renders the auth stack: the pool and its SSM parameters. */
export const renderSamAuth = (definition: ReadDefinition): string =>
  writeTemplate({
    description: describePool(definition.name),
    sam: true,
    parameters: {},
    resources: { ...createPoolResources(definition), ...createSsmParameters(definition) },
    outputs: createPoolOutputs(definition),
  })

/** Renders the API stack, which reads the SSM parameters of the auth stack. */
export function renderSamApi({ name, resourceServers }: ReadDefinition, api: ReadApi): string {
  const rest = api.kind === 'rest'
  const DefinitionBody = createDocument(api, toGatewayRoutes(api, listScopes(resourceServers)))
  return writeTemplate({
    description: `The API ${api.name}, for clients of ${name}`,
    sam: true,
    parameters: {
      UserPoolId: createPublishedParameter(name, 'String', 'user-pool-id'),
      ...(rest
        ? { UserPoolArn: createPublishedParameter(name, 'String', 'user-pool-arn') }
        : { ClientIds: createPublishedParameter(name, 'List<String>', 'client-ids') }),
      ...API_PARAMETERS,
    },
    resources: {
      Api: rest
        ? {
            Type: 'AWS::Serverless::Api',
            Properties: {
              Name: api.name,
              StageName: 'v1',
              OpenApiVersion: '3.0.1',
              EndpointConfiguration: { Type: 'REGIONAL' },
              Variables: { backend: BACKEND_HOST },
              DefinitionBody,
            },
          }
        : {
            Type: 'AWS::Serverless::HttpApi',
            Properties: { Name: api.name, DefinitionBody },
          },
    },
    // For the configuration of the app behind the API.
    outputs: { ...createApiOutputs(api), UserPoolId: { Value: createRef('UserPoolId') } },
  })
}

/** Creates an OpenAPI document with extensions of API Gateway. SAM adds the stage and its deployments. */
function createDocument(api: ReadApi, routes: readonly GatewayRoute[]): Yaml {
  const paths: Record<string, Record<string, Yaml>> = {}
  for (const route of routes) {
    const method = route.method === 'ANY' ? 'x-amazon-apigateway-any-method' : route.method
    const rendered = withComment(route.note, createOperation(route, api))
    paths[route.path] = { ...paths[route.path], [method.toLowerCase()]: rendered }
  }
  return {
    openapi: '3.0.1',
    info: { title: api.name, version: '1' },
    components: { securitySchemes: { [api.name]: createScheme(api) } },
    paths,
  }
}

const createScheme = ({ kind, authorizerTtl }: ReadApi): YamlMap =>
  kind === 'rest'
    ? {
        type: 'apiKey',
        name: 'Authorization',
        in: 'header',
        'x-amazon-apigateway-authtype': 'cognito_user_pools',
        'x-amazon-apigateway-authorizer': {
          type: 'cognito_user_pools',
          providerARNs: [createRef('UserPoolArn')],
          authorizerResultTtlInSeconds: authorizerTtl as number,
        },
      }
    : {
        type: 'oauth2',
        'x-amazon-apigateway-authorizer': {
          type: 'jwt',
          identitySource: '$request.header.Authorization',
          jwtConfiguration: {
            issuer: createCall(
              'Sub',
              `https://cognito-idp.\${AWS::Region}.\${AWS::URLSuffix}/\${UserPoolId}`,
            ),
            audience: createRef('ClientIds'),
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
  uri: createRef(BACKEND),
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
