/** Creates the CloudFormation resources of a REST API: resources for paths, methods for routes, one deployment. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import { listPathParameters, listRestPaths, toBackendPath } from '../definition/path.ts'
import { API, AUTHORIZER, BACKEND_HOST, createAuthorization, type PoolValues } from './gateway.ts'
import { createFingerprint, toLogicalId, toPathWords } from './names.ts'
import { createGetAtt, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

const toResourceId = (path: string): string => toLogicalId('ApiResource', toPathWords(path))
const toMethodId = ({ method, path }: GatewayRoute): string =>
  toLogicalId('ApiMethod', [method.toLowerCase(), ...toPathWords(path)])
/** Creates the reference to the resource of a path, for its methods and children. */
const createParentRef = (path: string): Yaml =>
  path === '/' || path === '' ? createGetAtt(API, 'RootResourceId') : createRef(toResourceId(path))

export function createRestResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  pool: PoolValues,
): YamlMap {
  const deployed: Record<string, Yaml> = {
    [AUTHORIZER]: {
      Type: 'AWS::ApiGateway::Authorizer',
      Properties: {
        RestApiId: createRef(API),
        Name: api.name,
        Type: 'COGNITO_USER_POOLS',
        IdentitySource: 'method.request.header.Authorization',
        ProviderARNs: [pool.arn],
        AuthorizerResultTtlInSeconds: api.authorizerTtl as number,
      },
    },
  }
  for (const path of listRestPaths(routes.map(({ path }) => path))) {
    const slash = path.lastIndexOf('/')
    deployed[toResourceId(path)] = {
      Type: 'AWS::ApiGateway::Resource',
      Properties: {
        RestApiId: createRef(API),
        ParentId: createParentRef(path.slice(0, slash)),
        PathPart: path.slice(slash + 1),
      },
    }
  }
  for (const route of routes)
    deployed[toMethodId(route)] = withComment(route.note, toMethod(route, pool))
  const deployment = `ApiDeployment${createFingerprint(JSON.stringify(deployed))}`
  return {
    [API]: {
      Type: 'AWS::ApiGateway::RestApi',
      Properties: { Name: api.name, EndpointConfiguration: { Types: ['REGIONAL'] } },
    },
    ...deployed,
    [deployment]: withComment(
      'A deployment is a snapshot. Rename it whenever a resource above changes.',
      {
        Type: 'AWS::ApiGateway::Deployment',
        DependsOn: routes.map(toMethodId),
        Properties: { RestApiId: createRef(API) },
      },
    ),
    ApiStage: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: {
        RestApiId: createRef(API),
        StageName: 'v1',
        DeploymentId: createRef(deployment),
        Variables: { backend: BACKEND_HOST },
      },
    },
  }
}

function toMethod(route: GatewayRoute, pool: PoolValues): Yaml {
  const { method, path } = route
  const parameters = listPathParameters(path)
  const createParameters = (prefix: string, value: (name: string) => Yaml): YamlMap =>
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
      RestApiId: createRef(API),
      ResourceId: createParentRef(path),
      HttpMethod: method,
      ...createAuthorization('COGNITO_USER_POOLS', route, pool),
      ...createParameters('method', () => true),
      Integration: {
        Type: 'HTTP_PROXY',
        IntegrationHttpMethod: method,
        Uri: `https://\${stageVariables.backend}${toBackendPath(path)}`,
        ...createParameters('integration', (name) => `method.request.path.${name}`),
      },
    },
  }
}
