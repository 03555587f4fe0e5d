/** Findings about the settings of authorizers: user pool ARNs, issuers, audiences, and routes without their authorizer. */
import { toPrintable } from '../../../core/util/text.ts'
import type {
  Fact,
  FactList,
  InfraAuthorizer,
  InfraClient,
  InfraModel,
  InfraRoute,
} from '../model/model.ts'
import type { Source } from '../resolve/value.ts'
import {
  chooseByDialect,
  createClientFinder,
  type FindClients,
  getClientAddress,
} from './clients.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCognitoAuthorizer, listAuthorizerPools } from './gateway.ts'
import { isCertainlySamePool, isCognitoIssuer, mayBeSamePool, type PoolLink } from './pools.ts'
import { hasAllItems, isMachineClient, type PooledClient, type ScopeIndex } from './scopes.ts'
import { isSameText, type SymbolicText } from './symbolic.ts'

/** Attributes of a user pool, in both dialects, that are no ARN. */
const POOL_ID_ATTRIBUTES: ReadonlySet<string> = new Set(['Ref', 'UserPoolId', 'id'])
const ARN_ATTRIBUTES: ReadonlySet<string> = new Set(['Arn', 'arn'])
/** The issuer without its scheme. */
const HOST_ATTRIBUTES: ReadonlySet<string> = new Set(['ProviderName', 'endpoint'])
const HTTPS = 'https://'
export const ARN = 'arn:'
/** The default of a parameter that the deployment gives, or whose use a condition excludes. */
const NOT_GIVEN = ''
/** The id of a user pool. Ids of clients have no hyphen. */
const POOL_ID = /^[a-z]+(?:-[a-z]+)+-\d+_[0-9A-Za-z]+$/

export const checkAuthorizerSettings = (model: InfraModel): Finding[] => [
  ...model.authorizers.flatMap((authorizer) =>
    authorizer.kind === 'rest'
      ? checkProviderArns(model, authorizer)
      : checkIssuer(model, authorizer),
  ),
  ...model.routes.filter(({ hasNoAuthorizer }) => hasNoAuthorizer === true).map(reportNoAuthorizer),
  ...model.routes.filter(isAuthorizerUnused).map(reportUnusedAuthorizer),
  ...model.routes.flatMap(checkFit),
]

/** Reports a type of authorization, or an authorizer, of another API. */
function checkFit({ id, at, invalidType, authorizerApi }: InfraRoute): Finding[] {
  const findings: Finding[] = []
  if (invalidType !== undefined) {
    const isJwt = invalidType.value === 'JWT'
    const [kind, fix] = isJwt ? ['REST', 'use COGNITO_USER_POOLS'] : ['HTTP', 'use JWT']
    const value = isJwt ? 'JWT' : 'COGNITO_USER_POOLS'
    const message = `${toPrintable(id)} has the authorization type ${value}, which ${kind} APIs do not have: API Gateway rejects it`
    const subject = { resource: id, value }
    findings.push(
      createFinding(invalidType.at, 'error', 'authorizer-mismatch', message, fix, subject),
    )
  }
  if (authorizerApi !== undefined) {
    const message = `${toPrintable(id)} names an authorizer of another API, ${toPrintable(authorizerApi)}: API Gateway rejects it`
    const fix = 'name an authorizer of the API that has the route'
    const subject = { resource: id, value: authorizerApi }
    findings.push(createFinding(at, 'error', 'authorizer-mismatch', message, fix, subject))
  }
  return findings
}

/** Preflight requests have no token, so their routes are public deliberately. */
const isAuthorizerUnused = ({ authorization, authorizer, method }: InfraRoute): boolean =>
  authorization === 'none' && authorizer !== undefined && method?.value !== 'OPTIONS'

function reportUnusedAuthorizer({ id, at }: InfraRoute): Finding {
  const message = `${toPrintable(id)} names an authorizer and has the authorization type NONE, which is the default of HTTP APIs: the route is public`
  const fix = 'set AuthorizationType (Terraform: authorization_type), or remove the authorizer'
  return createFinding(at, 'error', 'authorizer-missing', message, fix, { resource: id })
}

function reportNoAuthorizer({ id, at }: InfraRoute): Finding {
  const message = `${toPrintable(id)} requires a Cognito token and names no authorizer: API Gateway rejects it`
  const fix = 'set AuthorizerId (Terraform: authorizer_id)'
  return createFinding(at, 'error', 'authorizer-missing', message, fix, { resource: id })
}

/** Returns the attribute of a user pool, if it is the whole value and the template has the pool. */
export const findPoolAttribute = (
  model: InfraModel,
  { source, pieces }: Pick<Fact<string>, 'source' | 'pieces'>,
): string => (pieces === undefined ? getPoolAttribute(model, source) : '')

/** The data source of one user pool. Its attributes are those of the resource. */
const POOL_DATA = /(?:^|\.)data\.aws_cognito_user_pool\./

/** Returns the attribute of a user pool that the template has or looks up. Empty for other sources. */
function getPoolAttribute(
  { userPools }: InfraModel,
  { resource = '', attribute = '', isDerived }: Source,
): string {
  if (isDerived === true) return ''
  const isPool =
    POOL_DATA.test(resource) ||
    userPools.some(({ id }) => id === resource || id.startsWith(`${resource}[`))
  return isPool ? attribute : ''
}

/** Returns the known text at the start of a value. */
export function getKnownStart({ value, pieces }: Fact<string>): string {
  const [first] = pieces ?? [value]
  return typeof first === 'string' ? first : ''
}

/** Whether a value that starts with `start` can start with `expected`. */
const mayStartWith = (start: string, expected: string): boolean =>
  start.startsWith(expected) || expected.startsWith(start)

function checkProviderArns(model: InfraModel, authorizer: InfraAuthorizer): Finding[] {
  const { id, at, userPools, complete } = authorizer
  const report = (position: Fact<string>['at'], actual: string): Finding => {
    const message = `${toPrintable(id)}: expected ARNs of user pools, got ${actual}`
    const pool = toPrintable(model.userPools[0]?.id ?? 'Pool')
    const fix = chooseByDialect(model, `use !GetAtt ${pool}.Arn`, `use ${pool}.arn`)
    const subject = { resource: id, value: actual }
    return createFinding(position, 'error', 'authorizer-provider', message, fix, subject)
  }
  const items = (userPools?.items ?? []).filter(({ value }) => value !== NOT_GIVEN)
  const isEmpty =
    userPools === undefined ? complete : userPools.complete && userPools.items.length === 0
  if (isEmpty) return [report(userPools?.at ?? at, 'none')]
  return items.flatMap((item) => {
    const attribute = findPoolAttribute(model, item)
    if (POOL_ID_ATTRIBUTES.has(attribute)) return [report(item.at, 'an id')]
    const start = getKnownStart(item)
    // A known value is complete, so it must contain the whole prefix.
    const isArn = item.value === undefined ? mayStartWith(start, ARN) : start.startsWith(ARN)
    return isArn ? [] : [report(item.at, toPrintable(start, 60))]
  })
}

function checkIssuer(model: InfraModel, { id, userPools }: InfraAuthorizer): Finding[] {
  const [issuer] = userPools?.items ?? []
  const problem = issuer && findIssuerProblem(model, issuer)
  if (issuer === undefined || problem === undefined || issuer.value === NOT_GIVEN) return []
  const message = `${toPrintable(id)}: expected the https URL of an issuer, got ${problem}`
  const fix = `use ${HTTPS}cognito-idp.REGION.amazonaws.com/POOL_ID`
  const subject = { resource: id, value: problem }
  return [createFinding(issuer.at, 'error', 'authorizer-issuer', message, fix, subject)]
}

function findIssuerProblem(model: InfraModel, issuer: Fact<string>): string | undefined {
  const attribute = findPoolAttribute(model, issuer)
  const start = getKnownStart(issuer).toLowerCase()
  const pieces = issuer.pieces ?? []
  const hasArn = pieces.some(
    (piece) =>
      typeof piece !== 'string' &&
      piece.isDerived !== true &&
      ARN_ATTRIBUTES.has(piece.attribute ?? ''),
  )
  if (ARN_ATTRIBUTES.has(attribute) || start.startsWith(ARN) || hasArn) return 'an ARN'
  if (POOL_ID_ATTRIBUTES.has(attribute)) return 'the id of a user pool'
  const isHttps = issuer.value === undefined ? mayStartWith(start, HTTPS) : start.startsWith(HTTPS)
  if (HOST_ATTRIBUTES.has(attribute) || !isHttps) return 'a text without https'
  const end = issuer.value ?? pieces.at(-1)
  // An issuer of another identity provider may end in a slash.
  const host = pieces.find((piece) => piece !== HTTPS)
  const isCognito =
    isCognitoIssuer(issuer) || (typeof host === 'object' && getPoolAttribute(model, host) !== '')
  return isCognito && typeof end === 'string' && end.endsWith('/')
    ? 'a slash at its end'
    : undefined
}

/** An authorizer, and the scopes of its routes. */
interface Guard {
  readonly model: InfraModel
  readonly authorizer: InfraAuthorizer
  readonly pools: readonly PoolLink[]
  /** The scopes of each route, known in full or in part. */
  readonly routes: readonly (readonly SymbolicText[])[]
  /** Whether a route may have other scopes. */
  readonly hasUnknownScopes: boolean
  /** The clients of the audience. Undefined if it may include any client, as in a REST API. */
  readonly clients: ReadonlySet<InfraClient> | undefined
}

export function checkAudiences(models: readonly InfraModel[], scopeIndex: ScopeIndex): Finding[] {
  const findClients = createClientFinder(models)
  const guards = models.flatMap((model) =>
    model.authorizers
      .filter((authorizer) => isCognitoAuthorizer(model, authorizer, scopeIndex))
      .map((authorizer) => createGuard(model, authorizer, findClients, scopeIndex)),
  )
  return guards.flatMap((guard) => [
    ...checkPresent(guard.authorizer),
    ...checkAudienceItems(guard),
    ...scopeIndex.clients.flatMap((client) => checkClient(client, guard, guards, scopeIndex)),
  ])
}

function createGuard(
  model: InfraModel,
  authorizer: InfraAuthorizer,
  findClients: FindClients,
  scopeIndex: ScopeIndex,
): Guard {
  const { id, audience } = authorizer
  const lists = model.routes
    .filter((route) => route.authorizer === id)
    .flatMap(({ scopes }) => (scopes === undefined ? [] : [scopes]))
  return {
    model,
    authorizer,
    pools: listAuthorizerPools(model, authorizer, scopeIndex),
    routes: lists.map((list) => scopeIndex.listScopes(model, list).map(({ text }) => text)),
    hasUnknownScopes: !lists.every(hasAllItems),
    clients: audience === undefined ? undefined : listClients(model, audience, findClients),
  }
}

/** Lists the clients of an audience. Undefined if it may include others. */
function listClients(
  model: InfraModel,
  audience: FactList<string>,
  findClients: FindClients,
): ReadonlySet<InfraClient> | undefined {
  const { items } = audience
  if (!hasAllItems(audience) || items.length === 0) return undefined
  const found = new Set<InfraClient>()
  for (const item of items) {
    // A URL is the audience of another issuer. Another text may be the id of a deployed client.
    if (item.value?.includes('://') === true) continue
    const clients = findClients(model, item)
    if (clients === undefined) return undefined
    for (const client of clients) found.add(client)
  }
  return found
}

function checkPresent({ id, at, kind, audience, complete }: InfraAuthorizer): Finding[] {
  const isEmpty =
    audience === undefined ? complete : audience.complete && audience.items.length === 0
  if (kind !== 'http' || !isEmpty) return []
  const message = `${toPrintable(id)} has no audience: API Gateway rejects it`
  const fix = 'list the ids of the clients that may call the API'
  const subject = { resource: id }
  return [createFinding(audience?.at ?? at, 'error', 'authorizer-audience', message, fix, subject)]
}

/** Reports a user pool in the audience. Tokens have the id of a client. */
function checkAudienceItems({ model, authorizer: { id, audience } }: Guard): Finding[] {
  const isPool = (item: Fact<string>): boolean =>
    findPoolAttribute(model, item) !== '' ||
    POOL_ID.test(item.value ?? '') ||
    getKnownStart(item).startsWith(ARN)
  return (audience?.items ?? []).filter(isPool).map(({ at }) => {
    const message = `${toPrintable(id)} has a user pool in its audience, where tokens have the id of a client`
    const fix = 'list the ids of the clients that may call the API'
    const subject = { resource: id, value: 'a user pool' }
    return createFinding(at, 'error', 'authorizer-audience', message, fix, subject)
  })
}

/** Reports a client whose scope is of no use, because no audience includes the client. */
function checkClient(
  pooled: PooledClient,
  guard: Guard,
  guards: readonly Guard[],
  scopeIndex: ScopeIndex,
): Finding[] {
  const { model, client, pool } = pooled
  const { authorizer, clients, pools, routes } = guard
  if (clients === undefined || clients.has(client) || client.conditional) return []
  if (!isMachineClient(client) || !pools.some((one) => isCertainlySamePool(one, pool))) return []
  const scope = scopeIndex
    .listScopes(model, client.scopes)
    .map(({ text }) => text)
    .find((text) => routes.some((route) => route.some((one) => isSameText(one, text))))
  if (scope === undefined) return []
  const isAcceptedElsewhere = guards.some(
    (other) =>
      (other.clients === undefined || other.clients.has(client)) &&
      other.pools.some((one) => mayBeSamePool(one, pool)) &&
      (other.hasUnknownScopes ||
        other.routes.some((route) => mayInclude(route, scope, scopeIndex))),
  )
  if (isAcceptedElsewhere) return []
  const accepted = scopeIndex.clients.filter((one) => clients.has(one.client))
  const isUnreachable = routes.some(
    (route) =>
      route.some((one) => isSameText(one, scope)) &&
      !accepted.some((one) => mayHaveScope(one, route, scopeIndex)),
  )
  const message = `${toPrintable(client.id)} is granted ${toPrintable(scope.label)}, and the audience of ${toPrintable(authorizer.id)} does not include it: its tokens are rejected`
  return [
    createFinding(
      (authorizer.audience as FactList<string>).at,
      isUnreachable && !guard.hasUnknownScopes ? 'error' : 'warning',
      'authorizer-audience',
      message,
      'add the id of the client to the audience, or remove the scope from the client',
      { resource: authorizer.id, value: getClientAddress(client) },
    ),
  ]
}

const mayInclude = (
  scopes: readonly SymbolicText[],
  scope: SymbolicText,
  { mayBeSame }: ScopeIndex,
): boolean => scopes.some((one) => mayBeSame(one, scope))

/** Whether the client has, or may have, one of the scopes. */
function mayHaveScope(
  { model, client }: PooledClient,
  scopes: readonly SymbolicText[],
  scopeIndex: ScopeIndex,
): boolean {
  if (client.scopes === undefined) return !client.complete
  return (
    !hasAllItems(client.scopes) ||
    scopeIndex
      .listScopes(model, client.scopes)
      .some(({ text }) => mayInclude(scopes, text, scopeIndex))
  )
}
