/** What `readTemplate` gives: the facts about scopes that a template holds, each with its place. */
import type { Position } from '../position.ts'
import type { DanglingReference, Piece, Resource, Source, Value } from '../resolve/value.ts'

/** One fact of a template. */
export interface Fact<T> {
  readonly at: Position
  /** Undefined where only a deployment knows it: never guessed. */
  readonly value: T | undefined
  /** What an unknown value is taken from, as far as the template says. */
  readonly source: Source
  /** Of an unknown text that is put together: its pieces in order, known ones as text. */
  readonly pieces?: readonly Piece[]
  /** The resources it mentions: a scope composed from its resource server names it here. */
  readonly refs: readonly string[]
}

/** A list of facts. */
export interface FactList<T> {
  readonly at: Position
  readonly items: readonly Fact<T>[]
  /** False where the deployed list may hold other members than these. */
  readonly complete: boolean
}

/** What every resource has. Foreign text, ids and names too, is kept as written. */
export interface InfraResource {
  /** Logical id, or Terraform address (`aws_cognito_user_pool.orders`). Unique within its model. */
  readonly id: string
  readonly at: Position
  /** A condition, count or loop decides whether and how often it is there. */
  readonly conditional: boolean
  /** False where the template leaves open which properties it has. */
  readonly complete: boolean
  /** Every resource it waits for; resource servers through others as well. */
  readonly dependsOn: readonly string[]
}

export interface InfraUserPool extends InfraResource {
  readonly name?: Fact<string>
}

export interface InfraDomain extends InfraResource {
  readonly userPool?: Fact<string>
  readonly domain?: Fact<string>
}

export interface InfraScope {
  readonly at: Position
  readonly name?: Fact<string>
  readonly description?: Fact<string>
}

export interface InfraResourceServer extends InfraResource {
  readonly userPool?: Fact<string>
  readonly identifier?: Fact<string>
  readonly name?: Fact<string>
  readonly scopes: readonly InfraScope[]
  /** False where it may define further scopes. */
  readonly scopesComplete: boolean
}

export interface InfraClient extends InfraResource {
  readonly userPool?: Fact<string>
  readonly name?: Fact<string>
  readonly generateSecret?: Fact<boolean>
  /** `AllowedOAuthFlowsUserPoolClient`: whether OAuth is on at all. */
  readonly oauth?: Fact<boolean>
  readonly flows?: FactList<string>
  readonly scopes?: FactList<string>
  /** Seconds an access token lives, whatever unit the template uses. Cognito's default is 3,600. */
  readonly accessTokenValidity?: Fact<number>
  readonly revocation?: Fact<boolean>
}

export interface InfraParameter extends InfraResource {
  readonly name?: Fact<string>
  readonly value?: Fact<string>
}

/** What a stack or module hands on. */
export interface InfraOutput {
  /** Logical id, or Terraform name. */
  readonly id: string
  readonly at: Position
  readonly value?: Fact<string>
  /** What other stacks import it by (`!ImportValue`). */
  readonly exported?: Fact<string>
  readonly conditional: boolean
}

/** An authorizer of API Gateway that judges Cognito's tokens by itself. Lambda authorizers are left out. */
export interface InfraAuthorizer extends InfraResource {
  /** `rest`: `COGNITO_USER_POOLS`; `http`: `JWT`. */
  readonly kind: 'rest' | 'http'
  /** The API's id. */
  readonly api?: string
  readonly name?: Fact<string>
  /** User pool ARNs (`rest`) or the issuer (`http`). */
  readonly userPools?: FactList<string>
  /** Scopes it admits, any of them, where they stand on the authorizer (SAM). */
  readonly scopes?: FactList<string>
  /** Seconds API Gateway keeps a decision; its default is 300. */
  readonly ttl?: Fact<number>
}

/** A route of API Gateway. */
export interface InfraRoute extends InfraResource {
  readonly api?: string
  /** Upper case; `ANY` for every method. */
  readonly method?: Fact<string>
  /** As API Gateway writes it: `/orders/{id}`, `/{proxy+}`. */
  readonly path?: Fact<string>
  /** `other`: a Lambda authorizer, IAM; undefined where it cannot be told. */
  readonly authorization?: 'cognito' | 'none' | 'other'
  /** The authorizer's id in this model. */
  readonly authorizer?: string
  /** Scopes it admits, any of them; the authorizer's where it names none itself. */
  readonly scopes?: FactList<string>
}

/** One template as it would be deployed, as far as that can be told without deploying it. */
export interface InfraModel {
  readonly dialect: 'cloudformation' | 'sam' | 'terraform'
  /** The files it was read from, as given. */
  readonly files: readonly string[]
  readonly userPools: readonly InfraUserPool[]
  readonly domains: readonly InfraDomain[]
  readonly resourceServers: readonly InfraResourceServer[]
  readonly clients: readonly InfraClient[]
  /** SSM parameters that it writes. */
  readonly parameters: readonly InfraParameter[]
  readonly outputs: readonly InfraOutput[]
  readonly authorizers: readonly InfraAuthorizer[]
  readonly routes: readonly InfraRoute[]
  /** Names that stand for nothing in the template. */
  readonly dangling: readonly DanglingReference[]
  /** False where macros, modules or includes may add resources of the kinds above. */
  readonly complete: boolean
}

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
