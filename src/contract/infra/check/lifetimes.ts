/** Tokens and decisions that are kept longer than the tokens live they are, or were made about. */

import { toPrintable } from '../../../core/util/text.ts'
import type { InfraAuthorizer, InfraClient, InfraModel } from '../model/model.ts'
import type { Position } from '../position.ts'
import { isCognito, poolsOf } from './authorizers.ts'
import { type Finding, finding } from './finding.ts'
import { areOne } from './pools.ts'
import { isMachine, type ScopeTable } from './scope-index.ts'

/** Seconds a token lives where the client says nothing. */
const DEFAULT_LIFETIME = 3600
/** Seconds a REST API keeps a decision where the authorizer says nothing. */
const DEFAULT_TTL = 300

interface Time {
  readonly at: Position
  readonly seconds: number
}

/** Once an authorizer: for the client whose tokens are gone first. */
export function checkLifetimes(
  models: readonly InfraModel[],
  table: ScopeTable,
  proxyTtl: number | undefined,
): Finding[] {
  const judges = models.flatMap((model) =>
    model.authorizers.flatMap((authorizer) => {
      const ttl = ttlOf(authorizer)
      if (ttl === undefined || authorizer.conditional || !isCognito(model, authorizer, table))
        return []
      return [{ name: toPrintable(authorizer.id), ttl, pools: poolsOf(model, authorizer, table) }]
    }),
  )
  const tokens = table.clients.flatMap(({ client, pool }) => {
    const lifetime = isMachine(client) ? lifetimeOf(client) : undefined
    return lifetime === undefined ? [] : [{ client, pool, lifetime }]
  })
  const whose = ({ client: { id }, lifetime: { seconds } }: (typeof tokens)[0]): string =>
    `${toPrintable(id)}'s tokens live ${seconds} s`
  const found: Finding[] = []
  for (const one of tokens) {
    const { at, seconds } = one.lifetime
    if (proxyTtl === undefined || proxyTtl < seconds) continue
    const message = `${whose(one)}, the proxy keeps them ${proxyTtl} s`
    found.push(
      finding(at, 'error', 'lifetime-ttl', message, `keep them for less than ${seconds} s`),
    )
  }
  for (const { name, ttl, pools } of judges) {
    const [first] = tokens
      .filter(({ client, pool }) => !client.conditional && pools.some((it) => areOne(it, pool)))
      .sort((a, b) => a.lifetime.seconds - b.lifetime.seconds)
    if (first === undefined || ttl.seconds < first.lifetime.seconds) continue
    const message = `${whose(first)}, ${name} keeps its decisions ${ttl.seconds} s`
    const fix = `keep decisions for less than ${first.lifetime.seconds} s`
    found.push(finding(ttl.at, 'warning', 'lifetime-ttl', message, fix))
  }
  return found
}

function lifetimeOf({ at, accessTokenValidity, complete }: InfraClient): Time | undefined {
  if (accessTokenValidity === undefined) {
    return complete ? { at, seconds: DEFAULT_LIFETIME } : undefined
  }
  const { value } = accessTokenValidity
  return value === undefined ? undefined : { at: accessTokenValidity.at, seconds: value }
}

/** A JWT authorizer keeps no decisions. */
function ttlOf({ at, kind, ttl, complete }: InfraAuthorizer): Time | undefined {
  if (kind === 'http') return undefined
  if (ttl === undefined) return complete ? { at, seconds: DEFAULT_TTL } : undefined
  return ttl.value === undefined ? undefined : { at: ttl.at, seconds: ttl.value }
}
