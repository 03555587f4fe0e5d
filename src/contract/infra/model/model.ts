/** The model of a template: its facts about scopes, clients and authorizers, each with its position. */
import type { Position } from '../position.ts'
import type { DanglingReference, Piece, Resource, Source, Value } from '../resolve/value.ts'
import type { Suppression } from '../suppression/suppression.ts'

/** One value of a template. */
export interface Fact<T> {
  readonly at: Position
  /** Undefined if only the deployment determines the value. */
  readonly value: T | undefined
  /** The origin of an unknown value, as far as the template determines it. Otherwise empty. */
  readonly source: Source
  /** The pieces of an unknown text that is composed of several, in order. */
  readonly pieces?: readonly Piece[]
  /** Ids of the resources that the value refers to, for example the resource server of a composed scope. */
  readonly refs: readonly string[]
  /** Present if the value is a list or a map, where one scalar is expected. */
  readonly actualType?: 'list' | 'map'
}

/** A list of values. */
export interface FactList<T> {
  readonly at: Position
  readonly items: readonly Fact<T>[]
  /** False if values of items are unknown, or the deployed list may have other items. */
  readonly complete: boolean
  /** Present if a list is expected, and the value is a scalar (one item) or a map (none). */
  readonly actualType?: 'scalar' | 'map'
  /** Present if the deployed list has exactly these items, but values of some are unknown. */
  readonly hasUnknownValues?: true
  /** The origin of an unknown list, as far as the template determines it. */
  readonly source?: Source
}

/** The members of every resource. Ids, names and other texts from the template are not escaped. */
export interface InfraResource {
  /** The logical id, or the Terraform address (`aws_cognito_user_pool.orders`). Unique within the model. */
  readonly id: string
  readonly at: Position
  /** Whether a condition, count or loop decides if and how often the resource is deployed. */
  readonly conditional: boolean
  /** False if the resource may have properties that the template does not show. */
  readonly complete: boolean
  /** Ids of the resources that are deployed before it. Resource servers are included transitively. */
  readonly dependsOn: readonly string[]
  /** Present if it may be deployed after any resource server: not all of its references are known. */
  readonly mayAwaitAny?: true
}

/** A Cognito user pool. */
export interface InfraUserPool extends InfraResource {
  readonly name?: Fact<string>
  /** The feature plan: `LITE`, `ESSENTIALS` (the default) or `PLUS`. */
  readonly tier?: Fact<string>
  /** The event version of the pre-token-generation trigger: `V1_0`, `V2_0` or `V3_0`. */
  readonly triggerVersion?: Fact<string>
}

/** The domain of a user pool. */
export interface InfraDomain extends InfraResource {
  readonly userPool?: Fact<string>
  /** The domain prefix, or a custom domain. */
  readonly domain?: Fact<string>
  /** Present if the domain has a certificate, so that it is a custom domain. */
  readonly isCustom?: true
}

/** A scope of a resource server. */
export interface InfraScope {
  readonly at: Position
  /** The name without the identifier of the resource server. */
  readonly name?: Fact<string>
  readonly description?: Fact<string>
}

/** A Cognito resource server. */
export interface InfraResourceServer extends InfraResource {
  readonly userPool?: Fact<string>
  readonly identifier?: Fact<string>
  readonly name?: Fact<string>
  readonly scopes: readonly InfraScope[]
  /** False if it may define more scopes. */
  readonly scopesComplete: boolean
}

/** A Cognito app client. */
export interface InfraClient extends InfraResource {
  readonly userPool?: Fact<string>
  readonly name?: Fact<string>
  readonly generateSecret?: Fact<boolean>
  /** Whether OAuth is enabled: `AllowedOAuthFlowsUserPoolClient`. */
  readonly oauth?: Fact<boolean>
  readonly flows?: FactList<string>
  /** The flows of the user pools API: `ExplicitAuthFlows`. */
  readonly explicitAuthFlows?: FactList<string>
  /** Scopes as `identifier/name`. */
  readonly scopes?: FactList<string>
  /** The lifetime of access tokens in seconds, converted from the unit of the template. Cognito's default is 3,600. */
  readonly accessTokenValidity?: Fact<number>
  /** Whether token revocation is enabled. */
  readonly revocation?: Fact<boolean>
}

/** An SSM parameter. */
export interface InfraParameter extends InfraResource {
  readonly name?: Fact<string>
  readonly value?: Fact<string>
}

/** An output of a stack or module. */
export interface InfraOutput {
  /** The logical id, or the Terraform name. */
  readonly id: string
  readonly at: Position
  readonly value?: Fact<string>
  /** The name by which other stacks import it with `!ImportValue`. */
  readonly exported?: Fact<string>
  readonly conditional: boolean
}

/** An API Gateway authorizer that verifies Cognito tokens. Lambda authorizers are not in the model. */
export interface InfraAuthorizer extends InfraResource {
  /** `rest`: type `COGNITO_USER_POOLS` of a REST API. `http`: type `JWT` of an HTTP API. */
  readonly kind: 'rest' | 'http'
  /** The id of the API. */
  readonly api?: string
  readonly name?: Fact<string>
  /** User pool ARNs (`rest`) or the issuer (`http`). */
  readonly userPools?: FactList<string>
  /** The client ids that a JWT authorizer (`http`) accepts. */
  readonly audience?: FactList<string>
  /** The scopes of a SAM authorizer. A token needs one of them. */
  readonly scopes?: FactList<string>
  /** How long API Gateway caches a decision, in seconds. The default of API Gateway is 300. */
  readonly ttl?: Fact<number>
}

/** An API Gateway route. */
export interface InfraRoute extends InfraResource {
  /** The id of the API. */
  readonly api?: string
  /** In upper case, or `ANY` for every method. */
  readonly method?: Fact<string>
  /** In the syntax of API Gateway: `/orders/{id}`, `/{proxy+}`. */
  readonly path?: Fact<string>
  /** `other` is a Lambda authorizer or IAM. Undefined if the template does not determine it. */
  readonly authorization?: 'cognito' | 'none' | 'other'
  /** The id of the authorizer in the same model. */
  readonly authorizer?: string
  /** Present if the type of authorization needs an authorizer, and the route certainly has none. */
  readonly hasNoAuthorizer?: true
  /** The type of authorization, if only the other kind of API has it: `JWT` in a REST API. */
  readonly invalidType?: Fact<string>
  /** The id of the API of the authorizer, if it is another one than `api`. */
  readonly authorizerApi?: string
  /** The scopes of the route, or else of its authorizer. A token needs one of them. */
  readonly scopes?: FactList<string>
}

/** A mistake of a whole template that does not prevent reading it. */
export interface TemplateProblem {
  /** `key`: a key occurs twice, and the last one counts. `transform`: the template lacks a transform that it needs. */
  readonly kind: 'key' | 'transform'
  readonly at: Position
  /** The repeated key, or the name of the missing transform. */
  readonly name: string
  /** The first resource that needs the transform, or the last one that begins before a repeated key. */
  readonly resource?: string
}

/** What may add resources that the template does not show: a macro, a nested stack, or a module of a registry. */
export interface UnreadSource {
  readonly at: Position
  /** The logical id, or the Terraform address. Empty for macros. */
  readonly resource: string
  /** What would show its resources, on one printable line. */
  readonly resolve: string
}

/** One template or Terraform module, as far as its text determines the deployment. */
export interface InfraModel {
  readonly dialect: 'cloudformation' | 'sam' | 'terraform'
  /** The names of the files that were read. */
  readonly files: readonly string[]
  readonly userPools: readonly InfraUserPool[]
  readonly domains: readonly InfraDomain[]
  readonly resourceServers: readonly InfraResourceServer[]
  readonly clients: readonly InfraClient[]
  /** SSM parameters that the template creates. */
  readonly parameters: readonly InfraParameter[]
  readonly outputs: readonly InfraOutput[]
  readonly authorizers: readonly InfraAuthorizer[]
  readonly routes: readonly InfraRoute[]
  /** References to names that the template does not define. */
  readonly dangling: readonly DanglingReference[]
  /** Comments and metadata that suppress findings. */
  readonly suppressions: readonly Suppression[]
  /** Repeated keys and missing transforms. */
  readonly problems: readonly TemplateProblem[]
  /** False if macros, modules or includes may add resources of these kinds. */
  readonly complete: boolean
  /** What may add resources, if `complete` is false and the template shows it. */
  readonly unread: readonly UnreadSource[]
}

/** What the reader of a dialect returns. */
export interface ReadResources {
  readonly dialect: InfraModel['dialect']
  readonly resources: readonly Resource[]
  readonly dangling: readonly DanglingReference[]
  /** Missing if the dialect has none. */
  readonly problems?: readonly TemplateProblem[]
  /** False if macros, modules or includes may add resources. */
  readonly complete: boolean
  readonly unread?: readonly UnreadSource[]
  readonly outputs: readonly InfraOutput[]
  /** The `Globals` of SAM, by section. */
  readonly globals: ReadonlyMap<string, Value>
  /** The names of its parameters or variables. Missing for a plan, which has values. */
  readonly declared?: readonly string[]
  /** Values in variable files for variables that the module does not declare. */
  readonly undeclared?: readonly UndeclaredValue[]
}

/** A value in a variable file for a variable that the module does not declare. */
export interface UndeclaredValue {
  readonly file: string
  readonly name: string
}
