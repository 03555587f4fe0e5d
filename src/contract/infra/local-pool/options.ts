/** `toPoolOptions`: converts models of templates to options of a local user pool. */
import {
  describeValue,
  OptionError,
  omitUndefined,
  readFunction,
  readMembers,
} from '../../../core/options/validate.ts'
import type { ResourceServerDefinition } from '../../../core/scopes.ts'
import type { CheckCode, Finding } from '../check/finding.ts'
import { checkScopes } from '../check/index.ts'
import type { InfraClient, InfraModel } from '../model/model.ts'
import type { Position } from '../position.ts'
import {
  assignClientIds,
  createUnknownReporter,
  getLocalName,
  type PoolClientOptions,
  toPoolClient,
  toPoolServer,
} from './clients.ts'
import { findPoolMembers, formatPosition, type ReportSkipped } from './members.ts'
import { createParameterLister } from './parameters.ts'

/** Options for `startUserPool` and `createTestUserPool` of `cognito-m2m/testing`. */
export interface PoolOptions {
  /** `xx-local-1_` followed by the logical id of the pool. Missing if no template defines a pool. */
  readonly userPoolId?: string
  readonly resourceServers: readonly ResourceServerDefinition[]
  readonly clients: readonly PoolClientOptions[]
}

/** A part of a template that was skipped because only the deployment determines it. */
export interface SkippedFact extends Position {
  /** What was skipped and why, on one printable line. May change between releases. */
  readonly message: string
  /** How to include it, on one printable line. May change between releases. */
  readonly fix: string
  /** The names of the parameters or variables that would determine it. Empty if none does. */
  readonly parameters: readonly string[]
}

/** Options of {@link toPoolOptions}. */
export interface LocalPoolOptions {
  /**
   * The logical id or Terraform address of the user pool. Required if the templates define several.
   *
   * @defaultValue The only user pool
   */
  readonly userPool?: string
  /**
   * Called for each part that is skipped because only the deployment determines it, such as unknown values and
   * conditional resources.
   *
   * @defaultValue None: the first skipped part throws an `OptionError`
   */
  readonly onSkipped?: (skipped: SkippedFact) => void
}

/** Options of a pool, and the resource of each client, in the same order. */
export interface TemplatePool {
  readonly options: PoolOptions
  readonly clients: readonly InfraClient[]
}

/** Findings that make a deployment fail, whatever is deployed before. */
const DEPLOYMENT_FAILURES: ReadonlySet<CheckCode> = new Set<CheckCode>([
  'reference-missing',
  'grant-undefined',
  'client-no-scopes',
  'scope-reserved',
  'flow-mixed',
  'flow-invalid',
  'client-no-secret',
  'pool-reference',
  'identifier-repeated',
  'transform-missing',
  'cognito-limit',
])

export const isDeploymentFailure = ({ code, severity }: Finding): boolean =>
  severity === 'error' && DEPLOYMENT_FAILURES.has(code)

/** @param models Models without a finding of `isDeploymentFailure`. */
export function createTemplatePool(
  models: readonly InfraModel[],
  userPool: string | undefined,
  reportSkipped: ReportSkipped,
): TemplatePool {
  const members = findPoolMembers(models, userPool, reportSkipped)
  const ids = assignClientIds(members.clients)
  const reportUnknown = createUnknownReporter(
    reportSkipped,
    createParameterLister(models.flatMap((model) => model.resourceServers)),
  )
  const resourceServers = members.servers.flatMap((server) => toPoolServer(server, reportUnknown))
  const hasServers = models.some((model) => model.resourceServers.length > 0)
  const context = {
    servers: hasServers ? resourceServers : undefined,
    identifiers: members.servers.map(({ identifier }) => identifier),
    reportUnknown,
  }
  const clients = members.clients.flatMap((client) => {
    const options = toPoolClient(client, ids.get(client) as string, context)
    return options === undefined ? [] : [{ client, options }]
  })
  if (clients.length === 0) {
    const problem = 'expected an app client whose flows and scopes are known, got none'
    throw new OptionError('the template', `${problem}. Add a client, or pass the parameters.`)
  }
  return {
    options: omitUndefined<PoolOptions>({
      userPoolId: members.pool && toLocalPoolId(members.pool.id),
      resourceServers,
      clients: clients.map(({ options }) => options),
    }),
    clients: clients.map(({ client }) => client),
  }
}

/** Ids of user pools have letters and digits only. */
const toLocalPoolId = (id: string): string =>
  `xx-local-1_${getLocalName(id).replaceAll(/[^A-Za-z0-9]+/g, '') || 'Pool'}`

/**
 * Converts models of templates to options of a local user pool. Tests and local development then use the resource
 * servers and app clients that are deployed. The id of a client is its name in the template, because Cognito generates
 * the real id at deployment.
 *
 * @example
 * ```ts
 * const model = await readTemplate({ file, text: await readFile(file, 'utf8') })
 * const pool = createTestUserPool(toPoolOptions(model))
 * ```
 *
 * @param models One model, or the models of all templates that are deployed together.
 * @param options Which user pool to use, and what to do with parts that only the deployment determines.
 * @returns Plain options without secrets. The pool generates the secrets of its clients.
 * @throws {OptionError} `ERR_OPTION_INVALID` in these cases. The deployment would fail: the message is the finding of
 *   {@link checkScopes}. The templates define several user pools, and `userPool` is missing. A part is skipped without
 *   `onSkipped`. No client remains.
 */
export function toPoolOptions(
  models: InfraModel | readonly InfraModel[],
  options: LocalPoolOptions = {},
): PoolOptions {
  const members = readMembers(options, ['userPool', 'onSkipped'], '')
  const onSkipped =
    readFunction<(skipped: SkippedFact) => void>(members, 'onSkipped') ?? rejectSkipped
  const { userPool } = members
  if (userPool !== undefined && typeof userPool !== 'string') {
    throw new OptionError(
      'userPool',
      `expected the id of a user pool in the template, got ${describeValue(userPool)}. Pass a string.`,
    )
  }
  const all = (Array.isArray(models) ? models : [models]) as readonly InfraModel[]
  const error = checkScopes(all).find(isDeploymentFailure)
  if (error !== undefined) {
    const problem = `${formatPosition(error)}: ${error.message}; ${error.fix}`
    throw new OptionError(
      'the template',
      `expected a template that can be deployed, got ${problem}.`,
    )
  }
  return createTemplatePool(
    all,
    userPool,
    ({ file, line, column }, message, fix, parameters = []) =>
      onSkipped({ file, line, column, message, fix, parameters }),
  ).options
}

function rejectSkipped({ message, fix, ...at }: SkippedFact): never {
  throw new OptionError(
    'the template',
    `expected values that are known before the deployment, got ${formatPosition(at)}: ${message}; ${fix}. Pass parameters to readTemplate, or set onSkipped.`,
  )
}
