/** A REST API in front of a backend: a resource a part of a path, a method a route, one deployment. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import { backendPath, pathParameters, restPaths } from '../definition/path.ts'
import { API, AUTHORIZER, authorization, backendHost, type PoolValues } from './gateway.ts'
import { fingerprint, logicalId, pathWords } from './names.ts'
import { attribute, commented, ref, type Yaml, type YamlMap } from './yaml.ts'

const resourceId = (path: string): string => logicalId('ApiResource', pathWords(path))
const methodId = ({ method, path }: GatewayRoute): string =>
  logicalId('ApiMethod', [method.toLowerCase(), ...pathWords(path)])
/** What a resource of a path, or its child, names its parent by. */
const parent = (path: string): Yaml =>
  path === '/' || path === '' ? attribute(API, 'RootResourceId') : ref(resourceId(path))

export function restResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  pool: PoolValues,
): YamlMap {
  const surface: Record<string, Yaml> = {
    [AUTHORIZER]: {
      Type: 'AWS::ApiGateway::Authorizer',
      Properties: {
        RestApiId: ref(API),
        Name: api.name,
        Type: 'COGNITO_USER_POOLS',
        IdentitySource: 'method.request.header.Authorization',
        ProviderARNs: [pool.arn],
        AuthorizerResultTtlInSeconds: api.authorizerTtl as number,
      },
    },
  }
  for (const path of restPaths(routes.map(({ path }) => path))) {
    const slash = path.lastIndexOf('/')
    surface[resourceId(path)] = {
      Type: 'AWS::ApiGateway::Resource',
      Properties: {
        RestApiId: ref(API),
        ParentId: parent(path.slice(0, slash)),
        PathPart: path.slice(slash + 1),
      },
    }
  }
  for (const route of routes)
    surface[methodId(route)] = commented(route.note, toMethod(route, pool))
  const deployment = `ApiDeployment${fingerprint(JSON.stringify(surface))}`
  return {
    [API]: {
      Type: 'AWS::ApiGateway::RestApi',
      Properties: { Name: api.name, EndpointConfiguration: { Types: ['REGIONAL'] } },
    },
    ...surface,
    [deployment]: commented('A deployment is a copy. Rename it whenever something above changes.', {
      Type: 'AWS::ApiGateway::Deployment',
      DependsOn: routes.map(methodId),
      Properties: { RestApiId: ref(API) },
    }),
    ApiStage: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: {
        RestApiId: ref(API),
        StageName: 'v1',
        DeploymentId: ref(deployment),
        Variables: { backend: backendHost },
      },
    },
  }
}

function toMethod(route: GatewayRoute, pool: PoolValues): Yaml {
  const { method, path } = route
  const parameters = pathParameters(path)
  const named = (prefix: string, value: (name: string) => Yaml): YamlMap =>
    parameters.length === 0
      ? {}
      : {
          RequestParameters: Object.fromEntries(
            parameters.map((name) => [`${prefix}.request.path.${name}`, value(name)]),
          ),
        }
  return {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      RestApiId: ref(API),
      ResourceId: parent(path),
      HttpMethod: method,
      ...authorization('COGNITO_USER_POOLS', route, pool),
      ...named('method', () => true),
      Integration: {
        Type: 'HTTP_PROXY',
        IntegrationHttpMethod: method,
        Uri: `https://\${stageVariables.backend}${backendPath(path)}`,
        ...named('integration', (name) => `method.request.path.${name}`),
      },
    },
  }
}
