/** Resources of Cognito and SSM → the model. */

import type { Resource } from '../resolve/value.ts'
import {
  booleanFact,
  common,
  lifetime,
  member,
  property,
  textFact,
  textList,
  written,
} from './facts.ts'
import type {
  InfraClient,
  InfraDomain,
  InfraParameter,
  InfraResourceServer,
  InfraUserPool,
} from './model.ts'

export const toUserPool = (resource: Resource): InfraUserPool =>
  written<InfraUserPool>({
    ...common(resource),
    name: textFact(property(resource.properties, 'UserPoolName')),
  })

export const toDomain = (resource: Resource): InfraDomain =>
  written<InfraDomain>({
    ...common(resource),
    userPool: textFact(property(resource.properties, 'UserPoolId')),
    domain: textFact(property(resource.properties, 'Domain')),
  })

export function toResourceServer(resource: Resource): InfraResourceServer {
  const { properties } = resource
  const scopes = property(properties, 'Scopes')
  const items = scopes?.kind === 'list' ? scopes.items : []
  const open = scopes !== undefined && !(scopes.kind === 'list' && scopes.complete)
  return written<InfraResourceServer>({
    ...common(resource),
    userPool: textFact(property(properties, 'UserPoolId')),
    identifier: textFact(property(properties, 'Identifier')),
    name: textFact(property(properties, 'Name')),
    scopes: items.map((item) =>
      written({
        at: item.at,
        name: textFact(member(item, 'ScopeName')),
        description: textFact(member(item, 'ScopeDescription')),
      }),
    ),
    scopesComplete:
      !open && resource.complete && items.every((item) => item.kind === 'map' && item.complete),
  })
}

export function toClient(resource: Resource): InfraClient {
  const { properties } = resource
  return written<InfraClient>({
    ...common(resource),
    userPool: textFact(property(properties, 'UserPoolId')),
    name: textFact(property(properties, 'ClientName')),
    generateSecret: booleanFact(property(properties, 'GenerateSecret')),
    oauth: booleanFact(property(properties, 'AllowedOAuthFlowsUserPoolClient')),
    flows: textList(property(properties, 'AllowedOAuthFlows')),
    scopes: textList(property(properties, 'AllowedOAuthScopes')),
    accessTokenValidity: lifetime(properties),
    revocation: booleanFact(property(properties, 'EnableTokenRevocation')),
  })
}

export const toParameter = (resource: Resource): InfraParameter =>
  written<InfraParameter>({
    ...common(resource),
    name: textFact(property(resource.properties, 'Name')),
    value: textFact(property(resource.properties, 'Value')),
  })
