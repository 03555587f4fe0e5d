/** A definition → SAM: an auth stack, and an API stack that consumes what the first one publishes. */
import { type GatewayRoute, gatewayRoutes, type ReadApi } from '../definition/api.ts'
import { everyScope, type ReadDefinition } from '../definition/definition.ts'
import { backendPath, pathParameters } from '../definition/path.ts'
import {
  apiOutputs,
  poolDescription,
  poolOutputs,
  poolResources,
  publishedParameters,
  writeTemplate,
} from './cloudformation.ts'
import { apiParameters, BACKEND, backendHost } from './gateway.ts'
import { call, commented, ref, type Yaml, type YamlMap } from './yaml.ts'

const published = (name: string, type: string, key: string): Yaml => ({
  Type: `AWS::SSM::Parameter::Value<${type}>`,
  Default: `/${name}/${key}`,
})

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
export function renderSamApi({ name, resourceServers }: ReadDefinition, api: ReadApi): string {
  const rest = api.kind === 'rest'
  const DefinitionBody = document(api, gatewayRoutes(api, everyScope(resourceServers)))
  return writeTemplate({
    description: `The API ${api.name}, for clients of ${name}`,
    sam: true,
    parameters: {
      UserPoolId: published(name, 'String', 'user-pool-id'),
      ...(rest
        ? { UserPoolArn: published(name, 'String', 'user-pool-arn') }
        : { ClientIds: published(name, 'List<String>', 'client-ids') }),
      ...apiParameters,
    },
    resources: {
      Api: rest
        ? {
            Type: 'AWS::Serverless::Api',
            Properties: {
              ...{ Name: api.name, StageName: 'v1', OpenApiVersion: '3.0.1' },
              EndpointConfiguration: { Type: 'REGIONAL' },
              Variables: { backend: backendHost },
              DefinitionBody,
            },
          }
        : {
            Type: 'AWS::Serverless::HttpApi',
            Properties: { Name: api.name, DefinitionBody },
          },
    },
    // What the app behind the API is to be configured with.
    outputs: { ...apiOutputs(api), UserPoolId: { Value: ref('UserPoolId') } },
  })
}

/** API Gateway's OpenAPI: SAM makes the stage and its deployments of it. */
function document(api: ReadApi, routes: readonly GatewayRoute[]): Yaml {
  const paths: Record<string, Record<string, Yaml>> = {}
  for (const route of routes) {
    const method = route.method === 'ANY' ? 'x-amazon-apigateway-any-method' : route.method
    const written = commented(route.note, operation(route, api))
    paths[route.path] = { ...paths[route.path], [method.toLowerCase()]: written }
  }
  return {
    openapi: '3.0.1',
    info: { title: api.name, version: '1' },
    components: { securitySchemes: { [api.name]: scheme(api) } },
    paths,
  }
}

const scheme = ({ kind, authorizerTtl }: ReadApi): YamlMap =>
  kind === 'rest'
    ? {
        ...{ type: 'apiKey', name: 'Authorization', in: 'header' },
        'x-amazon-apigateway-authtype': 'cognito_user_pools',
        'x-amazon-apigateway-authorizer': {
          type: 'cognito_user_pools',
          providerARNs: [ref('UserPoolArn')],
          authorizerResultTtlInSeconds: authorizerTtl as number,
        },
      }
    : {
        type: 'oauth2',
        'x-amazon-apigateway-authorizer': {
          type: 'jwt',
          identitySource: '$request.header.Authorization',
          jwtConfiguration: {
            issuer: call(
              'Sub',
              `https://cognito-idp.\${AWS::Region}.\${AWS::URLSuffix}/\${UserPoolId}`,
            ),
            audience: ref('ClientIds'),
          },
        },
      }

function operation({ method, path, open, admitted }: GatewayRoute, api: ReadApi): YamlMap {
  const names = pathParameters(path)
  return {
    ...(names.length > 0 && {
      parameters: names.map((name) => ({
        ...{ name, in: 'path', required: true, schema: { type: 'string' } },
      })),
    }),
    security: open ? [] : [{ [api.name]: admitted }],
    responses: { [api.kind === 'rest' ? '200' : 'default']: { description: "The app's answer." } },
    'x-amazon-apigateway-integration':
      api.kind === 'http'
        ? {
            ...{ type: 'http_proxy', httpMethod: 'ANY', uri: ref(BACKEND) },
            payloadFormatVersion: '1.0',
            requestParameters: { 'overwrite:path': '$request.path' },
          }
        : {
            ...{ type: 'http_proxy', httpMethod: method },
            uri: `https://\${stageVariables.backend}${backendPath(path)}`,
            ...(names.length > 0 && {
              requestParameters: Object.fromEntries(
                names.map((name) => [
                  `integration.request.path.${name}`,
                  `method.request.path.${name}`,
                ]),
              ),
            }),
          },
  }
}
