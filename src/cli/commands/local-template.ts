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
import { toPrintable } from '../../core/util/text.ts'
import { readJsonFile } from '../../testing/json-file.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { readParameters, type VariableFlag } from '../files/flags.ts'
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
 * @param variables Values of `--var` and `--var-file`.
 * @throws {CommandFailure} if the deployment would fail, after a line for each reason.
 */
export async function readTemplatePool(
  flags: TemplateFlags,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<TemplatePool> {
  const models = await readTemplates(flags, variables, terminal)
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

/** Values of pseudo parameters, as in the SAM CLI. Only a deployment knows the real ones. */
const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::StackId':
    'arn:aws:cloudformation:us-east-1:123456789012:stack/local/00000000-0000-0000-0000-000000000000',
  'AWS::StackName': 'local',
  'AWS::URLSuffix': 'amazonaws.com',
}

async function readTemplates(
  { template = [], parameter = [] }: TemplateFlags,
  variables: readonly VariableFlag[],
  { signal, err }: Terminal,
) {
  try {
    const passed = readParameters(parameter)
    return await readModels(template, {
      option: '--template',
      parameters: { ...PSEUDO_PARAMETERS, ...passed },
      requiredNames: Object.keys(passed),
      variables,
      onWarning: (warning) => err(`cognito-m2m: warning: ${warning}\n`),
      signal,
    })
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandFailure(EXIT.usage, error.message)
    throw error
  }
}

/** Creates the options. Errors name the flags: `--pool`, or `--parameter` with the names to pass. */
function createPoolOptions(
  models: readonly InfraModel[],
  { pool }: TemplateFlags,
  { err }: Terminal,
) {
  const missing = new Set<string>()
  try {
    return createTemplatePool(models, pool, (at, message, fix, parameters = []) => {
      for (const name of parameters) missing.add(name)
      const resolve = parameters.length === 0 ? fix : `pass ${formatParameters(parameters)}`
      err(`cognito-m2m: ${formatPosition(at)}: skipped: ${message}; ${resolve}\n`)
    })
  } catch (error) {
    if (error instanceof OptionError && error.option === 'userPool') {
      throw new OptionError('--pool', error.problem)
    }
    if (!(error instanceof OptionError && missing.size > 0)) throw error
    const names = [...missing].map((name) => toPrintable(name)).join(', ')
    const problem = `expected values of ${names}, which the clients depend on, got none`
    throw new OptionError('--parameter', `${problem}. Pass ${formatParameters([...missing])}.`)
  }
}

const formatParameters = (names: readonly string[]): string =>
  names.map((name) => `--parameter ${toPrintable(name)}=VALUE`).join(' ')

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
