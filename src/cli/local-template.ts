/** Templates → what `local` starts: the clients and scopes that a deployment would make. */
import { OptionError, show } from '../core/option-error.ts'
import type { PoolOptions } from '../infra/index.ts'
import { readJsonFile } from '../testing/json-file.ts'
import { CommandFailure, EXIT } from './exit-codes.ts'
import { readParameters, readTemplates } from './template-files.ts'
import type { Terminal } from './terminal.ts'

export interface TemplateFlags {
  readonly template?: readonly string[]
  readonly parameter?: readonly string[]
  readonly pool?: string
  readonly secrets?: string
}

/** Where a client stands in the templates. */
export interface Origin {
  /** Logical id, or Terraform address. */
  readonly resource: string
  /** `file:line:column`. */
  readonly at: string
}

export interface FromTemplate {
  readonly options: PoolOptions
  /** By client id. */
  readonly origins: ReadonlyMap<string, Origin>
}

/**
 * What is left out, and what is wrong but would be deployed, is said on `err`.
 *
 * @throws {CommandFailure} where the deployment would fail, after each reason was said.
 */
export async function fromTemplate(
  flags: TemplateFlags,
  terminal: Terminal,
): Promise<FromTemplate> {
  const { template = [], parameter = [], pool, secrets } = flags
  const models = await readTemplates(template, readParameters(parameter))
  const { checkScopes } = await import('../infra/index.ts')
  const { deploymentErrors, templatePool } = await import('../infra/pool-options.ts')
  const { placeOf } = await import('../infra/pool-members.ts')
  const say = (line: string): void => terminal.err(`${line}\n`)
  for (const finding of checkScopes(models)) {
    const { severity, code, message, fix } = finding
    if (severity === 'error') say(`${placeOf(finding)}: error ${code} ${message}; ${fix}`)
  }
  const count = deploymentErrors(models).length
  if (count > 0) {
    const reasons = count === 1 ? 'this' : `these ${count} reasons`
    throw new CommandFailure(EXIT.refused, `would not be deployed for ${reasons}: correct it there`)
  }
  const { options, clients } = named('--pool', () =>
    templatePool(models, pool, (at, message, fix) =>
      say(`${placeOf(at)}: left out: ${message}; ${fix}`),
    ),
  )
  const origins = new Map(
    clients.map(({ id, at }, index) => [
      (options.clients[index] as PoolOptions['clients'][number]).clientId,
      { resource: id, at: placeOf(at) },
    ]),
  )
  return { options: secrets === undefined ? options : withSecrets(options, secrets), origins }
}

/** Who runs this knows the option `userPool` as a flag. */
function named<T>(flag: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof OptionError) || error.option !== 'userPool') throw error
    throw new OptionError(flag, error.problem)
  }
}

/** @param path A JSON file: client id to its secret, or to both while they rotate. */
function withSecrets(options: PoolOptions, path: string): PoolOptions {
  const content = readJsonFile(path)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new OptionError(path, 'is no object: write { "client id": "secret" }')
  }
  const secrets = new Map<string, unknown>(Object.entries(content))
  for (const id of secrets.keys()) {
    const client = options.clients.find(({ clientId }) => clientId === id)
    if (client !== undefined && client.clientSecrets === undefined) continue
    const ids = options.clients.map(({ clientId }) => clientId).join(', ')
    throw new OptionError(path, `names ${show(id)}, which has no secret here: use one of ${ids}`)
  }
  return {
    ...options,
    clients: options.clients.map((client) => {
      if (!secrets.has(client.clientId)) return client
      const secret = secrets.get(client.clientId)
      // The pool says what is wrong with them, and quotes nothing.
      return { ...client, clientSecrets: (Array.isArray(secret) ? secret : [secret]) as string[] }
    }),
  }
}
