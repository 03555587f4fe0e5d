/** Finds the resource servers and clients of several templates that belong to one user pool. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { createPoolResolver } from '../check/pools.ts'
import type {
  Fact,
  InfraClient,
  InfraModel,
  InfraResource,
  InfraResourceServer,
  InfraUserPool,
} from '../model/model.ts'
import type { Position } from '../position.ts'

/**
 * Reports a value that only the deployment determines. Message and fix are one printable line each. `parameters` are
 * the names of the parameters that would determine it.
 */
export type ReportSkipped = (
  at: Position,
  message: string,
  fix: string,
  parameters?: readonly string[],
) => void

export interface PoolMembers {
  /** Undefined if the templates define no pool: their resources belong to an existing one. */
  readonly pool: InfraUserPool | undefined
  readonly servers: readonly InfraResourceServer[]
  readonly clients: readonly InfraClient[]
}

type Member = InfraResource & { readonly userPool?: Fact<string> }

/** @param userPool The id of the pool in its template. Required if there are several. */
export function findPoolMembers(
  models: readonly InfraModel[],
  userPool: string | undefined,
  reportSkipped: ReportSkipped,
): PoolMembers {
  const pools = models.flatMap((model) => model.userPools.map((pool) => ({ pool, model })))
  const chosen = choosePool(pools, userPool)
  const resolvePool = createPoolResolver(models)
  const key = chosen && resolvePool(chosen.model, createPoolReference(chosen.pool)).key

  const isMember = ({ id, at, userPool }: Member, model: InfraModel): boolean => {
    const link = resolvePool(model, userPool)
    if (key === undefined || link.key === key) return true
    if (link.kind === 'created') return false
    const owner =
      link.kind === 'named'
        ? `belongs to user pool ${toPrintable(link.key)}`
        : 'may belong to another user pool'
    const message = `${toPrintable(id)} ${owner}`
    reportSkipped(userPool?.at ?? at, message, 'refer to the pool resource instead')
    return false
  }

  const isIncluded = (member: Member, model: InfraModel): boolean => {
    if (!isMember(member, model)) return false
    if (!member.conditional) return true
    const message = `a condition, count or loop decides whether ${toPrintable(member.id)} is deployed`
    reportSkipped(member.at, message, 'make it unconditional to include it')
    return false
  }

  for (const { files, complete } of models) {
    if (complete) continue
    const at = { file: files[0] as string, line: 1, column: 1 }
    reportSkipped(at, 'modules or macros may deploy more resources', 'pass their templates too')
  }
  return {
    pool: chosen?.pool,
    servers: models.flatMap((model) =>
      model.resourceServers.filter((one) => isIncluded(one, model)),
    ),
    clients: models.flatMap((model) => model.clients.filter((one) => isIncluded(one, model))),
  }
}

interface DeclaredPool {
  readonly pool: InfraUserPool
  readonly model: InfraModel
}

function choosePool(
  pools: readonly DeclaredPool[],
  userPool: string | undefined,
): DeclaredPool | undefined {
  const found = userPool === undefined ? pools : pools.filter(({ pool }) => pool.id === userPool)
  if (found.length === 1 || (found.length === 0 && userPool === undefined)) return found[0]
  const ids = pools
    .map(({ pool }) => `${toPrintable(pool.id)} (${formatPosition(pool.at)})`)
    .join(', ')
  const description = userPool === undefined ? 'no value' : describeValue(userPool)
  throw new OptionError(
    'userPool',
    ids === ''
      ? `expected no value for a template without a user pool, got ${description}. Remove the option.`
      : `expected one of ${ids}, got ${description}. Choose one of the user pools.`,
  )
}

/** Creates the fact that a member has which refers to the pool. */
const createPoolReference = ({ id, at }: InfraUserPool): Fact<string> => ({
  at,
  value: undefined,
  source: { resource: id, attribute: 'Ref' },
  refs: [id],
})

/** Longest path in a message, in characters. */
const MAX_PATH_LENGTH = 400

export const formatPosition = ({ file, line, column }: Position): string =>
  `${toPrintable(file, MAX_PATH_LENGTH)}:${line}:${column}`
