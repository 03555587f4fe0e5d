/** Creates the CloudFormation resources of a REST API: resources for paths, methods for routes, one deployment. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import { listPathParameters, listRestPaths, toBackendPath } from '../definition/path.ts'
import {
  type ApiIds,
  createAuthorization,
  createBackendHost,
  createLogGroup,
  createLogSettings,
  createTagList,
  createThrottling,
  type PoolValues,
  STAGE_NAME,
  withStage,
} from './gateway.ts'
import { createFingerprint, toLogicalId, toPathWords } from './names.ts'
import { createGetAtt, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

const toResourceId = (path: string, { prefix }: ApiIds): string =>
  toLogicalId(`${prefix}Path`, toPathWords(path))
const toMethodId = ({ method, path }: GatewayRoute, { prefix }: ApiIds): string =>
  toLogicalId(prefix, [method.toLowerCase(), ...toPathWords(path)])
/** Creates the reference to the resource of a path, for its methods and children. */
const createParentRef = (path: string, ids: ApiIds): Yaml =>
  path === '/' || path === ''
    ? createGetAtt(ids.api, 'RootResourceId')
    : createRef(toResourceId(path, ids))

export function createRestResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  ids: ApiIds,
  pool: PoolValues,
  definition: ReadDefinition,
): YamlMap {
  const RestApiId = createRef(ids.api)
  const deployed: Record<string, Yaml> = {
    [ids.authorizer]: {
      Type: 'AWS::ApiGateway::Authorizer',
      Properties: {
        RestApiId,
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
    deployed[toResourceId(path, ids)] = {
      Type: 'AWS::ApiGateway::Resource',
      Properties: {
        RestApiId,
        ParentId: createParentRef(path.slice(0, slash), ids),
        PathPart: path.slice(slash + 1),
      },
    }
  }
  for (const route of routes)
    deployed[toMethodId(route, ids)] = withComment(route.note, toMethod(route, ids, pool))
  const deployment = `${ids.prefix}Deployment${createFingerprint(JSON.stringify(deployed))}`
  return {
    [ids.api]: {
      Type: 'AWS::ApiGateway::RestApi',
      Properties: {
        Name: withStage(api.name, definition),
        EndpointConfiguration: { Types: ['REGIONAL'] },
        ...createTagList(definition),
      },
    },
    ...deployed,
    [deployment]: withComment(
      'A deployment is a snapshot. Rename it whenever a resource above changes.',
      {
        Type: 'AWS::ApiGateway::Deployment',
        DependsOn: routes.map((route) => toMethodId(route, ids)),
        Properties: { RestApiId },
      },
    ),
    ...createLogGroup(api, ids, definition),
    [ids.stage]: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: {
        RestApiId,
        StageName: STAGE_NAME,
        DeploymentId: createRef(deployment),
        Variables: { backend: createBackendHost(ids) },
        ...createLogSettings(api, ids, 'AccessLogSetting'),
        ...createThrottling(api),
        ...createTagList(definition),
      },
    },
  }
}

function toMethod(route: GatewayRoute, ids: ApiIds, pool: PoolValues): Yaml {
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
      RestApiId: createRef(ids.api),
      ResourceId: createParentRef(path, ids),
      HttpMethod: method,
      ...createAuthorization('COGNITO_USER_POOLS', route, ids, pool),
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
