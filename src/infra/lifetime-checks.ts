/** Tokens and decisions that are kept longer than the tokens live they are, or were made about. */

import { printable } from '../core/printable.ts'
import { type Finding, finding } from './finding.ts'
import { isCognito, poolsOf } from './gateway-checks.ts'
import type { InfraAuthorizer, InfraClient, InfraModel } from './model.ts'
import { areOne } from './pool-links.ts'
import { isMachine, type ScopeTable } from './scope-table.ts'
import type { Position } from './template-error.ts'

/** Seconds a token lives where the client says nothing. */
const DEFAULT_LIFETIME = 3600
/** Seconds a REST API keeps a decision where the authorizer says nothing. */
const DEFAULT_TTL = 300

interface Time {
  readonly at: Position
  readonly seconds: number
}

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
      return [{ name: printable(authorizer.id), ttl, pools: poolsOf(model, authorizer, table) }]
    }),
  )
  return table.clients.flatMap(({ client, pool }) => {
    const lifetime = isMachine(client) ? lifetimeOf(client) : undefined
    if (lifetime === undefined) return []
    const { at, seconds } = lifetime
    const whose = `${printable(client.id)}'s tokens live ${seconds} s`
    const found: Finding[] = []
    if (proxyTtl !== undefined && proxyTtl >= seconds) {
      const message = `${whose}, the proxy keeps them ${proxyTtl} s`
      found.push(finding(at, 'error', 'lifetime-ttl', message, 'keep them for less'))
    }
    if (client.conditional) return found
    for (const { name, ttl, pools } of judges) {
      if (ttl.seconds < seconds || !pools.some((one) => areOne(one, pool))) continue
      const message = `${whose}, ${name} keeps its decisions ${ttl.seconds} s`
      found.push(finding(ttl.at, 'warning', 'lifetime-ttl', message, 'keep decisions for less'))
    }
    return found
  })
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
