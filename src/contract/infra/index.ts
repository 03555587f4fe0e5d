/**
 * `cognito-m2m/infra`: reads, checks and writes the scopes, clients and authorizers of CloudFormation, SAM and
 * Terraform templates.
 *
 * @module
 */

export { toPrintable as printable } from '../../core/util/text.ts'
export { readOpenApi } from './app/openapi.ts'
export type { AppRequirement, AppRoute } from './app/route.ts'
export { readRoutes, routesFile } from './app/routes-file.ts'
export type { Coverage, CoverageCount, UnevaluatedFact } from './check/coverage.ts'
export { checkCoverage } from './check/coverage.ts'
export type { CheckCode, Finding } from './check/finding.ts'
export type { CheckScopesOptions } from './check/index.ts'
export { checkScopes } from './check/index.ts'
export type { ApiDefinition } from './definition/api.ts'
export type { ClientDefinition, InfraDefinition } from './definition/definition.ts'
export { toDefinition } from './definition/from-model.ts'
export type { PoolClientOptions, PoolFlow } from './local-pool/clients.ts'
export type {
  LocalPoolOptions,
  PoolOptions,
  SkippedFact,
} from './local-pool/options.ts'
export { toPoolOptions } from './local-pool/options.ts'
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
  TemplateProblem,
} from './model/model.ts'
export type { Position } from './position.ts'
export { TemplateError } from './position.ts'
export type { ReadTemplateOptions, TemplateSource, VariableValue } from './read.ts'
export { readTemplate } from './read.ts'
export { renderTemplate } from './render/index.ts'
export type { DanglingReference, Piece, Source } from './resolve/value.ts'
export type { Suppression } from './suppression/suppression.ts'
