/** An HTTP API in front of a backend: a route each, one integration. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import { API, AUTHORIZER, authorization, BACKEND, type PoolValues } from './gateway.ts'
import { logicalId, pathWords } from './names.ts'
import { call, commented, ref, type Yaml, type YamlMap } from './yaml.ts'

const INTEGRATION = 'ApiIntegration'

const routeId = ({ method, path }: GatewayRoute): string =>
  logicalId('ApiRoute', [method.toLowerCase(), ...pathWords(path)])

export function httpResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  pool: PoolValues,
): YamlMap {
  const resources: Record<string, Yaml> = {
    [API]: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: { Name: api.name, ProtocolType: 'HTTP' },
    },
    [AUTHORIZER]: {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId: ref(API),
        Name: api.name,
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: pool.issuer, Audience: pool.audience },
      },
    },
    [INTEGRATION]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: ref(API),
        IntegrationType: 'HTTP_PROXY',
        IntegrationMethod: 'ANY',
        IntegrationUri: ref(BACKEND),
        PayloadFormatVersion: '1.0',
        RequestParameters: commented(
          "One integration for every route: the path is the request's.",
          {
            'overwrite:path': '$request.path',
          },
        ),
      },
    },
  }
  for (const route of routes) {
    resources[routeId(route)] = commented(route.note, {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: ref(API),
        RouteKey: `${route.method} ${route.path}`,
        ...authorization('JWT', route, pool),
        Target: call('Sub', `integrations/\${${INTEGRATION}}`),
      },
    })
  }
  resources['ApiStage'] = {
    Type: 'AWS::ApiGatewayV2::Stage',
    Properties: { ApiId: ref(API), StageName: '$default', AutoDeploy: true },
  }
  return resources
}
