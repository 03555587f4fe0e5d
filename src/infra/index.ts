/**
 * `cognito-m2m/infra`: the scopes, clients and authorizers that a CloudFormation, SAM or Terraform
 * template deploys, as one model with positions.
 *
 * @module
 */

export { printable } from '../core/printable.ts'
export type { ApiDefinition } from './api-definition.ts'
export type { AppRequirement, AppRoute } from './app-route.ts'
export type { CheckScopesOptions } from './check-scopes.ts'
export { checkScopes } from './check-scopes.ts'
export type { ClientDefinition, InfraDefinition } from './definition.ts'
export { definitionOf } from './definition-of.ts'
export type { CheckCode, Finding } from './finding.ts'
export type {
  Fact,
  FactList,
  InfraAuthorizer,
  InfraClient,
  InfraDomain,
  InfraModel,
  InfraOutput,
  InfraParameter,
  InfraResource,
  InfraResourceServer,
  InfraRoute,
  InfraScope,
  InfraUserPool,
} from './model.ts'
export { readOpenApi } from './openapi-routes.ts'
export type { PoolClientOptions, PoolFlow } from './pool-clients.ts'
export type { LeftOut, PoolOptions, PoolOptionsOfOptions } from './pool-options.ts'
export { poolOptionsOf } from './pool-options.ts'
export type { ReadTemplateOptions, TemplateSource } from './read-template.ts'
export { readTemplate } from './read-template.ts'
export { renderTemplate } from './render-template.ts'
export { readRoutes, routesFile } from './routes-file.ts'
export type { Position } from './template-error.ts'
export { TemplateError } from './template-error.ts'
export type { DanglingReference, Piece, Source } from './value.ts'
