/** Restores a local pool from its state file, and keeps the file up to date. */
import { OptionError } from '../core/options/validate.ts'
import type { LocalHost } from './http/local-server.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { formatPoolState, readPoolState, type SavedPoolState } from './pool-state.ts'
import { createStateError, createStateFile, replaceStateFile } from './state-file.ts'
import type { PoolDefinition, TestUserPoolOptions } from './test-user-pool.ts'

/** The start options that depend on a state file. */
interface StartOptions {
  readonly definition: PoolDefinition
  /** 0 selects the port of the file, or a free port without a file. */
  readonly port: number
  readonly host: LocalHost | undefined
  readonly state: string | undefined
}

/** The keys and options of a pool. Without a state file, they last until the pool stops. */
export class PersistentPool<Options extends StartOptions> {
  /** Options with the values of the state file. */
  readonly options: Options & { readonly host: LocalHost }
  readonly keys: KeyRing
  readonly #path: string | undefined
  /** Content of the file. Undefined until the file exists. */
  #text: string | undefined
  readonly #clientSecrets: Readonly<Record<string, string>>

  /**
   * @param read Validated options, with generated values.
   * @param input Options of the caller: values that are absent here were generated.
   * @throws {OptionError} if the file cannot be used, or is of another pool.
   */
  constructor(read: Options, input: TestUserPoolOptions) {
    this.#path = read.state
    const saved = read.state === undefined ? undefined : readPoolState(read.state)
    this.#text = saved?.text
    this.keys = saved?.keys ?? createKeyRing()
    const { definition } = read
    const secrets = listGeneratedSecrets(definition, input)
    this.#clientSecrets = { ...secrets, ...saved?.clientSecrets }
    const host = read.host ?? saved?.host ?? '127.0.0.1'
    const port = read.port === 0 ? (saved?.port ?? 0) : read.port
    const userPoolId = input.userPoolId ?? saved?.userPoolId ?? definition.userPoolId
    const clients = definition.clients.map((client) => {
      // Own-property check: a client may have the ID `constructor`.
      if (!Object.hasOwn(secrets, client.clientId)) return client
      const secret = this.#clientSecrets[client.clientId] as string
      return Object.freeze({ ...client, clientSecrets: Object.freeze([secret]) })
    })
    this.options = {
      ...read,
      host,
      port,
      definition: { ...definition, userPoolId, clients },
    }
    if (saved !== undefined) checkIssuer(read.state as string, saved, { host, port, userPoolId })
  }

  /**
   * Writes the file unless its content is up to date.
   *
   * @throws {OptionError} if it cannot be written.
   */
  write(issuer: string, keys: KeyRing): void {
    if (this.#path === undefined) return
    const text = formatPoolState({ issuer, keys, clientSecrets: this.#clientSecrets })
    if (text === this.#text) return
    if (this.#text === undefined) createStateFile(this.#path, text)
    else replaceStateFile(this.#path, text)
    this.#text = text
  }

  /** Changes the fix in an error of `listen`: with a state file, another port would not help. */
  readonly rethrowPortError = (error: OptionError): never => {
    if (this.#text === undefined || error.option !== 'port') throw error
    const { port } = this.options
    throw new OptionError(
      'port',
      `expected port ${port} of the state file to be free, got a port in use. Stop the process that uses it, or set another file.`,
    )
  }
}

/** Generated secrets by client ID. */
function listGeneratedSecrets(
  { clients }: PoolDefinition,
  { clients: inputClients = [] }: TestUserPoolOptions,
): Record<string, string> {
  const withSecrets = new Set(
    inputClients.filter((it) => it.clientSecrets !== undefined).map(({ clientId }) => clientId),
  )
  const generated = clients.filter(({ clientId }) => !withSecrets.has(clientId))
  return Object.fromEntries(
    generated.map(({ clientId, clientSecrets }) => [clientId, clientSecrets[0] as string]),
  )
}

/** Tokens contain their issuer: with another issuer, saved keys would not keep them valid. */
function checkIssuer(
  path: string,
  saved: SavedPoolState,
  { host, port, userPoolId }: Pick<SavedPoolState, 'host' | 'port' | 'userPoolId'>,
): void {
  if (host === saved.host && port === saved.port && userPoolId === saved.userPoolId) return
  const expected = `host ${host}, port ${port}, pool ${userPoolId}`
  const got = `host ${saved.host}, port ${saved.port}, pool ${saved.userPoolId}`
  throw createStateError(path, `: expected the state of ${expected}, got ${got}. Set another file.`)
}
