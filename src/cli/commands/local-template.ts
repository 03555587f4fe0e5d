/** Reads the pool of `local` from templates: the clients and scopes that a deployment would create. */

import {
  checkScopes,
  type InfraModel,
  type PoolOptions,
  TemplateError,
} from '../../contract/infra/index.ts'
import { formatPosition } from '../../contract/infra/local-pool/members.ts'
import { createTemplatePool, isDeploymentFailure } from '../../contract/infra/local-pool/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { readJsonFile } from '../../testing/json-file.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { readParameters } from '../files/flags.ts'
import { readModels } from '../files/models.ts'
import { createStyle, formatFinding } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface TemplateFlags {
  readonly template?: readonly string[]
  readonly parameter?: readonly string[]
  readonly pool?: string
  readonly secrets?: string
}

/** Position of a client in the templates. */
export interface ClientOrigin {
  /** Logical id, or Terraform address. */
  readonly resource: string
  /** `file:line:column`. */
  readonly at: string
}

export interface TemplatePool {
  readonly options: PoolOptions
  /** By client id. */
  readonly origins: ReadonlyMap<string, ClientOrigin>
}

/**
 * Reads templates. Reports skipped values, and errors that a deployment would ignore, on `err`.
 *
 * @throws {CommandFailure} if the deployment would fail, after a line for each reason.
 */
export async function readTemplatePool(
  flags: TemplateFlags,
  terminal: Terminal,
): Promise<TemplatePool> {
  const models = await readTemplates(flags, terminal)
  const errors = checkScopes(models).filter(({ severity }) => severity === 'error')
  for (const error of errors) terminal.err(formatFinding(error, createStyle({ colors: false })))
  const { length } = errors.filter(isDeploymentFailure)
  if (length > 0) {
    const count = length === 1 ? '1 error' : `${length} errors`
    const message = `--template: expected templates that can be deployed, got ${count}. Correct the templates.`
    throw new CommandFailure(EXIT.refused, message)
  }
  const { options, clients } = createPoolOptions(models, flags, terminal)
  const origins = new Map(
    clients.map(({ id, at }, index) => [
      (options.clients[index] as PoolOptions['clients'][number]).clientId,
      { resource: id, at: formatPosition(at) },
    ]),
  )
  const { secrets } = flags
  return { options: secrets === undefined ? options : applySecrets(options, secrets), origins }
}

async function readTemplates(
  { template = [], parameter = [] }: TemplateFlags,
  { signal }: Terminal,
) {
  try {
    const parameters = readParameters(parameter)
    return await readModels(template, { option: '--template', parameters, signal })
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandFailure(EXIT.usage, error.message)
    throw error
  }
}

/** Creates the options. Errors of the option `userPool` name the flag `--pool`. */
function createPoolOptions(
  models: readonly InfraModel[],
  { pool }: TemplateFlags,
  { err }: Terminal,
) {
  try {
    return createTemplatePool(models, pool, (at, message, fix) =>
      err(`cognito-m2m: ${formatPosition(at)}: skipped: ${message}; ${fix}\n`),
    )
  } catch (error) {
    if (!(error instanceof OptionError) || error.option !== 'userPool') throw error
    throw new OptionError('--pool', error.problem)
  }
}

/** @param path A JSON file: client id to a secret, or to two secrets during a rotation. */
function applySecrets(options: PoolOptions, path: string): PoolOptions {
  const content = readJsonFile(path)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new OptionError(
      path,
      'expected a JSON object, got another value. Write { "client id": "secret" }.',
    )
  }
  const secrets = new Map<string, unknown>(Object.entries(content))
  for (const id of secrets.keys()) {
    const client = options.clients.find(({ clientId }) => clientId === id)
    if (client !== undefined && client.clientSecrets === undefined) continue
    const confidential = options.clients.filter(({ clientSecrets }) => clientSecrets === undefined)
    const ids = confidential.map(({ clientId }) => clientId).join(', ')
    throw new OptionError(
      path,
      `expected the id of a client with a secret, one of [${ids}], got ${describeValue(id)}. Correct the client id.`,
    )
  }
  return {
    ...options,
    clients: options.clients.map((client) => {
      if (!secrets.has(client.clientId)) return client
      const secret = secrets.get(client.clientId)
      // The pool validates the secrets, and quotes none.
      return { ...client, clientSecrets: (Array.isArray(secret) ? secret : [secret]) as string[] }
    }),
  }
}
