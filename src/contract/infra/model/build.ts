/** Resources of either dialect → the model. */

import { samApis } from '../cloudformation/sam.ts'
import type { DanglingReference, Resource, Value } from '../resolve/value.ts'
import { waitingThrough } from '../resolve/waits.ts'
import { toAuthorizer, toRoute } from './api-facts.ts'
import type { InfraModel, InfraOutput } from './model.ts'
import { bodyFacts, hasBody } from './openapi-body.ts'
import { toClient, toDomain, toParameter, toResourceServer, toUserPool } from './user-pool-facts.ts'

/** What a dialect's reader gives. */
export interface ReadResources {
  readonly dialect: InfraModel['dialect']
  readonly resources: readonly Resource[]
  readonly dangling: readonly DanglingReference[]
  /** False where macros, modules or includes may add resources. */
  readonly complete: boolean
  readonly outputs: readonly InfraOutput[]
  /** SAM's `Globals`, by section. */
  readonly globals: ReadonlyMap<string, Value>
}

export function toModel(files: readonly string[], read: ReadResources): InfraModel {
  const { dialect, dangling, complete, outputs, globals } = read
  const resources = waitingThrough(read.resources)
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
  ).filter((route) => route !== undefined)
  const described = resources
    .filter((resource) => !resource.type.startsWith('AWS::Serverless::') && hasBody(resource))
    .map((resource) => bodyFacts(resource, new Map(), () => undefined))
  return {
    dialect,
    files,
    userPools: all(['AWS::Cognito::UserPool'], toUserPool),
    domains: all(['AWS::Cognito::UserPoolDomain'], toDomain),
    resourceServers: all(['AWS::Cognito::UserPoolResourceServer'], toResourceServer),
    clients: all(['AWS::Cognito::UserPoolClient'], toClient),
    parameters: all(['AWS::SSM::Parameter'], toParameter),
    outputs,
    authorizers: [
      ...authorizers,
      ...described.flatMap((one) => one.authorizers),
      ...sam.authorizers,
    ],
    routes: [...routes, ...described.flatMap((one) => one.routes), ...sam.routes],
    dangling,
    complete,
  }
}
