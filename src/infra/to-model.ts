/** Resources of either dialect → the model. */
import { toAuthorizer, toRoute } from './api-facts.ts'
import type { InfraModel } from './model.ts'
import { samApis } from './sam-facts.ts'
import { toClient, toDomain, toParameter, toResourceServer, toUserPool } from './user-pool-facts.ts'
import type { DanglingReference, Resource, Value } from './value.ts'
import { everythingAwaited } from './waits.ts'

/** What a dialect's reader gives. */
export interface ReadResources {
  readonly dialect: InfraModel['dialect']
  readonly resources: readonly Resource[]
  readonly dangling: readonly DanglingReference[]
  /** False where macros, modules or includes may add resources. */
  readonly complete: boolean
  /** SAM's `Globals`, by section. */
  readonly globals: ReadonlyMap<string, Value>
}

export function toModel(files: readonly string[], read: ReadResources): InfraModel {
  const { dialect, resources, dangling, complete, globals } = read
  const byId = new Map(resources.map((resource) => [resource.id, resource]))
  const all = <T>(types: readonly string[], convert: (resource: Resource) => T) =>
    resources.filter(({ type }) => types.includes(type)).map(convert)
  const sam = samApis(resources, globals)
  const authorizers = all(
    ['AWS::ApiGateway::Authorizer', 'AWS::ApiGatewayV2::Authorizer'],
    toAuthorizer,
  ).filter((authorizer) => authorizer !== undefined)
  const routes = all(['AWS::ApiGateway::Method', 'AWS::ApiGatewayV2::Route'], (resource) =>
    toRoute(resource, byId),
  )
  return {
    dialect,
    files,
    userPools: all(['AWS::Cognito::UserPool'], toUserPool),
    domains: all(['AWS::Cognito::UserPoolDomain'], toDomain),
    resourceServers: all(['AWS::Cognito::UserPoolResourceServer'], toResourceServer),
    clients: all(['AWS::Cognito::UserPoolClient'], (resource) =>
      toClient({ ...resource, dependsOn: everythingAwaited(resource, byId) }),
    ),
    parameters: all(['AWS::SSM::Parameter'], toParameter),
    authorizers: [...authorizers, ...sam.authorizers],
    routes: [...routes, ...sam.routes],
    dangling,
    complete,
  }
}
