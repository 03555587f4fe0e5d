/** Which resource servers and clients of several templates belong to one user pool, for certain. */
import { OptionError, show } from '../core/option-error.ts'
import { printable } from '../core/printable.ts'
import type {
  Fact,
  InfraClient,
  InfraModel,
  InfraResource,
  InfraResourceServer,
  InfraUserPool,
} from './model.ts'
import type { Position } from './template-error.ts'

/** Told of what only a deployment knows, in one printable line each. */
export type LeaveOut = (at: Position, message: string, fix: string) => void

export interface PoolMembers {
  /** Undefined where the templates define none: what they hold belongs to one that exists. */
  readonly pool: InfraUserPool | undefined
  readonly servers: readonly InfraResourceServer[]
  readonly clients: readonly InfraClient[]
}

type Member = InfraResource & { readonly userPool?: Fact<string> }

/** @param userPool Its id in the template, where there are several. */
export function poolMembers(
  models: readonly InfraModel[],
  userPool: string | undefined,
  leaveOut: LeaveOut,
): PoolMembers {
  const pools = models.flatMap((model) => model.userPools)
  const chosen = choose(pools, userPool)
  const published = publishedPools(models)

  const isMember = ({ id, at, userPool }: Member, model: InfraModel): boolean => {
    const pool = poolOf(userPool, model, published)
    if (chosen === undefined || pool === chosen) return true
    if (pool !== undefined) return false
    const name = printable(id)
    if (userPool?.value !== undefined) {
      const other = `${name} belongs to user pool ${printable(userPool.value)}`
      leaveOut(userPool.at, other, 'it is not one of these templates')
      return false
    }
    if (pools.length === 1) return true
    leaveOut(
      at,
      `${name} may belong to any of ${pools.length} user pools`,
      'let it refer to its pool',
    )
    return false
  }

  const isThere = (member: Member, model: InfraModel): boolean => {
    if (!isMember(member, model)) return false
    if (!member.conditional) return true
    const message = `${printable(member.id)} is deployed where a condition, a count or a loop says so`
    leaveOut(member.at, message, 'what it gives is known to a deployment alone')
    return false
  }

  for (const { files, complete } of models) {
    if (complete) continue
    const at = { file: files[0] as string, line: 1, column: 1 }
    leaveOut(at, 'modules or macros may deploy more', 'pass their templates as well')
  }
  return {
    pool: chosen,
    servers: models.flatMap((model) => model.resourceServers.filter((one) => isThere(one, model))),
    clients: models.flatMap((model) => model.clients.filter((one) => isThere(one, model))),
  }
}

function choose(
  pools: readonly InfraUserPool[],
  userPool: string | undefined,
): InfraUserPool | undefined {
  const found = userPool === undefined ? pools : pools.filter(({ id }) => id === userPool)
  if (found.length === 1 || (found.length === 0 && userPool === undefined)) return found[0]
  const ids = pools.map(({ id, at }) => `${printable(id)} (${placeOf(at)})`).join(', ')
  throw new OptionError(
    'userPool',
    userPool === undefined
      ? `is not said, and there are ${pools.length}: name one of ${ids}`
      : `is ${show(userPool)}: name one of ${ids === '' ? 'the template, which has none' : ids}`,
  )
}

/** Pools by the name of the SSM parameter that holds their id. */
function publishedPools(models: readonly InfraModel[]): ReadonlyMap<string, InfraUserPool> {
  const published = new Map<string, InfraUserPool>()
  for (const { parameters, userPools } of models) {
    for (const { name, value } of parameters) {
      const pool = userPools.find(({ id }) => id === value?.source.resource)
      if (pool !== undefined && name?.value !== undefined) published.set(name.value, pool)
    }
  }
  return published
}

function poolOf(
  fact: Fact<string> | undefined,
  { userPools }: InfraModel,
  published: ReadonlyMap<string, InfraUserPool>,
): InfraUserPool | undefined {
  const { resource, ssm } = fact?.source ?? {}
  return userPools.find(({ id }) => id === resource) ?? published.get(ssm ?? '')
}

/** Longest path that is told whole. */
const LONGEST_PATH = 400

export const placeOf = ({ file, line, column }: Position): string =>
  `${printable(file, LONGEST_PATH)}:${line}:${column}`
