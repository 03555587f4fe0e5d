/** Which resource servers and clients of several templates belong to one user pool, for certain. */
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

/** Reports a fact that only the deployment knows, in one printable line. */
export type ReportSkipped = (at: Position, message: string, fix: string) => void

export interface PoolMembers {
  /** Undefined where the templates define none: what they hold belongs to one that exists. */
  readonly pool: InfraUserPool | undefined
  readonly servers: readonly InfraResourceServer[]
  readonly clients: readonly InfraClient[]
}

type Member = InfraResource & { readonly userPool?: Fact<string> }

/** @param userPool Its id in the template, where there are several. */
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
    const named = link.kind === 'named' ? `user pool ${toPrintable(link.key)}` : 'another user pool'
    const message = `${toPrintable(id)} ${link.kind === 'named' ? 'belongs' : 'may belong'} to ${named}`
    reportSkipped(userPool?.at ?? at, message, 'let it refer to the pool, or leave it')
    return false
  }

  const isThere = (member: Member, model: InfraModel): boolean => {
    if (!isMember(member, model)) return false
    if (!member.conditional) return true
    const message = `${toPrintable(member.id)} is deployed where a condition, a count or a loop says so`
    reportSkipped(member.at, message, 'what it gives is known to a deployment alone')
    return false
  }

  for (const { files, complete } of models) {
    if (complete) continue
    const at = { file: files[0] as string, line: 1, column: 1 }
    reportSkipped(at, 'modules or macros may deploy more', 'pass their templates as well')
  }
  return {
    pool: chosen?.pool,
    servers: models.flatMap((model) => model.resourceServers.filter((one) => isThere(one, model))),
    clients: models.flatMap((model) => model.clients.filter((one) => isThere(one, model))),
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
  throw new OptionError(
    'userPool',
    userPool === undefined
      ? `expected one of ${ids}, got no value. Name one of the user pools.`
      : `expected ${ids === '' ? 'no value for a template without a user pool' : `one of ${ids}`}, got ${describeValue(userPool)}. Change the id or leave it out.`,
  )
}

/** As a member that refers to it has it. */
const createPoolReference = ({ id, at }: InfraUserPool): Fact<string> => ({
  ...{ at, value: undefined, refs: [id] },
  source: { resource: id, attribute: 'Ref' },
})

/** Longest path that a message shows in full. */
const MAX_PATH_LENGTH = 400

export const formatPosition = ({ file, line, column }: Position): string =>
  `${toPrintable(file, MAX_PATH_LENGTH)}:${line}:${column}`
