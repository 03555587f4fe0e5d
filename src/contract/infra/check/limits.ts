/** Findings about limits of Cognito and API Gateway, dangling references, and caches that outlive a token. */
import {
  IDENTIFIER_PATTERN,
  MAX_DESCRIPTION_LENGTH,
  MAX_RESOURCE_SERVERS,
  MAX_SCOPE_LENGTH,
  MAX_SCOPES_PER_CLIENT,
  MAX_SCOPES_PER_SERVER,
  NAME_PATTERN,
} from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type {
  Fact,
  InfraAuthorizer,
  InfraClient,
  InfraDomain,
  InfraModel,
  InfraResourceServer,
} from '../model/model.ts'
import type { Position } from '../position.ts'
import { formatPieces } from '../resolve/value.ts'
import { addAssumption, createFinding, type Finding, type Subject } from './finding.ts'
import { isCognitoAuthorizer, listAuthorizerPools } from './gateway.ts'
import { describeAssumption, isSamePool, type PoolLink, type ResolvePool } from './pools.ts'
import { isMachineClient, listGrants, type ScopeIndex } from './scopes.ts'

/** The prefix of a user pool domain. */
const PREFIX = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** Cognito rejects a prefix that contains one of them. */
const RESERVED_WORD = /aws|amazon|cognito/
/** Seconds: the limits of Cognito for access tokens. */
const LIFETIME = { min: 300, max: 86_400 }
/** Seconds: the longest time that API Gateway caches a decision. */
const MAX_TTL = 3600

export const checkReferences = ({ dangling }: InfraModel): Finding[] =>
  dangling.map(({ at, name }) =>
    createFinding(
      at,
      'error',
      'reference-missing',
      `${toPrintable(name)} is not in the template`,
      'define it, or correct the spelling',
      { resource: name },
    ),
  )

const createLimitFinding = (
  at: Position,
  message: string,
  fix: string,
  subject: Subject,
): Finding => createFinding(at, 'error', 'cognito-limit', message, fix, subject)

/** Checks a fact whose value is known. */
function checkFact(
  fact: Fact<string> | undefined,
  passes: (value: string) => boolean,
  what: string,
  fix: string,
  resource: string,
): Finding[] {
  if (fact?.value === undefined || passes(fact.value)) return []
  const { at, value } = fact
  const message = `expected ${what}, got ${toPrintable(value, 60)}`
  return [createLimitFinding(at, message, fix, { resource, value })]
}

export function checkLimits(model: InfraModel, resolvePool: ResolvePool): Finding[] {
  return [
    ...model.domains.flatMap(({ id, domain }) =>
      // A domain with a dot is a custom domain, not a prefix. An empty one is the default of a parameter.
      checkFact(
        domain,
        (value) => value === '' || value.includes('.') || PREFIX.test(value),
        'a domain prefix',
        'use 1 to 63 lowercase letters, digits and hyphens',
        id,
      ),
    ),
    ...model.domains.flatMap(checkReservedWord),
    ...model.resourceServers.flatMap(checkResourceServer),
    ...model.clients.flatMap(checkClient),
    ...model.authorizers.flatMap(checkAuthorizer),
    ...checkServerCount(model, resolvePool),
  ]
}

/** Reports a reserved word in the known parts of a prefix. */
function checkReservedWord({ id, domain, isCustom, complete }: InfraDomain): Finding[] {
  // A domain with a certificate or a dot is a custom domain.
  if (domain === undefined || isCustom === true || !complete) return []
  const { value, pieces = [value ?? ''] } = domain
  const known = pieces.filter((piece) => typeof piece === 'string')
  if (known.join().includes('.')) return []
  const [word] = known.flatMap((text) => RESERVED_WORD.exec(text) ?? [])
  if (word === undefined) return []
  const message = `expected a domain prefix without "${word}", got ${toPrintable(formatPieces(pieces), 60)}`
  const fix = 'choose another prefix: Cognito reserves the texts aws, amazon and cognito'
  return [createLimitFinding(domain.at, message, fix, { resource: id, value: word })]
}

function checkResourceServer({
  id,
  identifier,
  scopes,
  scopesComplete,
}: InfraResourceServer): Finding[] {
  const found = checkFact(
    identifier,
    (value) => value === '' || IDENTIFIER_PATTERN.test(value),
    'an identifier of a resource server',
    'use 1 to 256 printable characters without space, quote or backslash',
    id,
  )
  // Scopes with unknown names do not count, because they may not be deployed.
  const named = scopes.filter(({ name }) => name?.value !== undefined)
  const firstExcess = named[MAX_SCOPES_PER_SERVER]
  if (firstExcess !== undefined) {
    const message = `expected at most ${MAX_SCOPES_PER_SERVER} scopes in ${toPrintable(id)}, got ${named.length}`
    found.push(
      createLimitFinding(firstExcess.at, message, 'split the resource server', { resource: id }),
    )
  }
  const prefix = identifier?.value === undefined ? 0 : identifier.value.length + 1
  for (const { at, name, description } of scopes) {
    found.push(
      ...checkFact(
        name,
        (value) =>
          value === '' || (NAME_PATTERN.test(value) && prefix + value.length <= MAX_SCOPE_LENGTH),
        'a scope name',
        'use printable characters without slash, space, quote or backslash, at most 256 together with the identifier',
        id,
      ),
      ...checkFact(
        description,
        (value) => value.length >= 1 && value.length <= MAX_DESCRIPTION_LENGTH,
        'a scope description',
        'describe it in 1 to 256 characters',
        id,
      ),
    )
    if (description === undefined && scopesComplete) {
      const scope = name?.value === undefined ? 'a scope' : toPrintable(name.value, 60)
      const message = `${scope} of ${toPrintable(id)} has no description`
      const fix = 'describe it in 1 to 256 characters (ScopeDescription, scope_description)'
      found.push(createLimitFinding(at, message, fix, { resource: id, value: scope }))
    }
  }
  return found
}

function checkClient(client: InfraClient): Finding[] {
  const { id, accessTokenValidity } = client
  const found: Finding[] = []
  const granted = [...new Map(listGrants(client).map((grant) => [grant.value, grant])).values()]
  const firstExcess = granted[MAX_SCOPES_PER_CLIENT]
  if (firstExcess !== undefined) {
    const message = `expected at most ${MAX_SCOPES_PER_CLIENT} scopes for ${toPrintable(id)}, got ${granted.length}`
    found.push(createLimitFinding(firstExcess.at, message, 'grant fewer scopes', { resource: id }))
  }
  const seconds = accessTokenValidity?.value
  if (accessTokenValidity === undefined || seconds === undefined) return found
  if (seconds < LIFETIME.min || seconds > LIFETIME.max) {
    const message = `tokens of ${toPrintable(id)} are valid for ${seconds} s`
    const subject = { resource: id, value: String(seconds) }
    const fix = 'use 5 minutes to 24 hours'
    found.push(createLimitFinding(accessTokenValidity.at, message, fix, subject))
  }
  return found
}

function checkAuthorizer({ id, ttl }: InfraAuthorizer): Finding[] {
  if (ttl?.value === undefined || (ttl.value >= 0 && ttl.value <= MAX_TTL)) return []
  const message = `${toPrintable(id)} caches its decisions for ${ttl.value} s`
  const subject = { resource: id, value: String(ttl.value) }
  return [createLimitFinding(ttl.at, message, `use 0 to ${MAX_TTL} s`, subject)]
}

/** Counts the resource servers of each pool. Conditional ones do not count, because they may not be deployed. */
function checkServerCount(model: InfraModel, resolvePool: ResolvePool): Finding[] {
  const count = new Map<string, number>()
  return model.resourceServers.flatMap(({ id, at, userPool, conditional }) => {
    const pool = resolvePool(model, userPool).identity
    if (conditional) return []
    const number = (count.get(pool) ?? 0) + 1
    count.set(pool, number)
    if (number !== MAX_RESOURCE_SERVERS + 1) return []
    const message = `expected at most ${MAX_RESOURCE_SERVERS} resource servers in a user pool, got number ${number}`
    const fix = 'use a second user pool, or have the quota increased'
    const finding = createLimitFinding(at, message, fix, { resource: id })
    // AWS increases this quota on request.
    return { ...finding, severity: 'warning' as const }
  })
}

/** Seconds: the default lifetime of access tokens. */
const DEFAULT_LIFETIME = 3600
/** Seconds: how long a REST API caches a decision by default. */
const DEFAULT_TTL = 300

interface Duration {
  readonly at: Position
  readonly seconds: number
}

/** Compares caches with token lifetimes. An authorizer has one finding, for the client with the shortest lifetime. */
export function checkLifetimes(
  models: readonly InfraModel[],
  scopeIndex: ScopeIndex,
  proxyTtl: number | undefined,
): Finding[] {
  const authorizers = models.flatMap((model) =>
    model.authorizers.flatMap((authorizer) => {
      const ttl = findDecisionTtl(authorizer)
      if (
        ttl === undefined ||
        authorizer.conditional ||
        !isCognitoAuthorizer(model, authorizer, scopeIndex)
      )
        return []
      return [
        {
          id: authorizer.id,
          ttl,
          pools: listAuthorizerPools(model, authorizer, scopeIndex),
        },
      ]
    }),
  )
  const tokens = scopeIndex.clients.flatMap(({ client, pool }) => {
    const lifetime = isMachineClient(client) ? findTokenLifetime(client) : undefined
    return lifetime === undefined ? [] : [{ client, pool, lifetime }]
  })
  const describeLifetime = ({
    client: { id },
    lifetime: { seconds },
  }: (typeof tokens)[0]): string => `tokens of ${toPrintable(id)} are valid for ${seconds} s`
  const found: Finding[] = []
  for (const one of tokens) {
    const { at, seconds } = one.lifetime
    if (proxyTtl === undefined || proxyTtl < seconds) continue
    const message = `${describeLifetime(one)}, the proxy caches them for ${proxyTtl} s`
    const fix = `cache them for less than ${seconds} s`
    const subject = { resource: one.client.id, value: String(seconds) }
    found.push(createFinding(at, 'error', 'lifetime-ttl', message, fix, subject))
  }
  for (const { id, ttl, pools } of authorizers) {
    const findPool = (pool: PoolLink) => pools.find((one) => isSamePool(one, pool))
    const [first] = tokens
      .filter(({ client, pool }) => !client.conditional && findPool(pool) !== undefined)
      .sort((a, b) => a.lifetime.seconds - b.lifetime.seconds)
    if (first === undefined || ttl.seconds < first.lifetime.seconds) continue
    const message = `${describeLifetime(first)}, ${toPrintable(id)} caches its decisions for ${ttl.seconds} s`
    const fix = `cache decisions for less than ${first.lifetime.seconds} s`
    const subject = { resource: id, value: String(ttl.seconds) }
    const finding = createFinding(ttl.at, 'warning', 'lifetime-ttl', message, fix, subject)
    const assumption = describeAssumption(findPool(first.pool) as PoolLink, first.pool)
    found.push(addAssumption(finding, assumption))
  }
  return found
}

function findTokenLifetime({
  at,
  accessTokenValidity,
  complete,
}: InfraClient): Duration | undefined {
  if (accessTokenValidity === undefined) {
    return complete ? { at, seconds: DEFAULT_LIFETIME } : undefined
  }
  const { value } = accessTokenValidity
  return value === undefined ? undefined : { at: accessTokenValidity.at, seconds: value }
}

/** Returns undefined for JWT authorizers, which cache no decisions. */
function findDecisionTtl({ at, kind, ttl, complete }: InfraAuthorizer): Duration | undefined {
  if (kind === 'http') return undefined
  if (ttl === undefined) return complete ? { at, seconds: DEFAULT_TTL } : undefined
  return ttl.value === undefined ? undefined : { at: ttl.at, seconds: ttl.value }
}

export const checkProblems = ({ problems }: InfraModel): Finding[] =>
  problems.map(({ kind, at, name, resource = name }) => {
    const text = toPrintable(name, 60)
    const subject = { resource, value: name }
    if (kind === 'transform') {
      const message = `the template uses the syntax of ${text} without the transform: CloudFormation rejects it`
      return createFinding(
        at,
        'error',
        'transform-missing',
        message,
        `add Transform: ${text}`,
        subject,
      )
    }
    const message = `the key ${text} is repeated: only the last value counts`
    return createFinding(at, 'error', 'key-repeated', message, 'remove one of the two', subject)
  })
