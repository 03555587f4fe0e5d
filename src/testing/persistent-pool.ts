/** Resumes a local pool from its state file, and keeps that file up to date. Without a file it starts new. */
import { OptionError } from '../core/options/validate.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import type { LocalHost } from './local-server.ts'
import { formatPoolState, readPoolState, type SavedPoolState } from './pool-state.ts'
import { createStateError, createStateFile, replaceStateFile } from './state-file.ts'
import type { PoolDefinition, TestUserPoolOptions } from './test-user-pool.ts'

/** What a pool is started with, as far as a state file decides about it. */
interface StartOptions {
  readonly definition: PoolDefinition
  /** 0: that of the file, or any. */
  readonly port: number
  readonly host: LocalHost | undefined
  readonly state: string | undefined
}

/** See above. */
export class PersistentPool<Options extends StartOptions> {
  /** What the pool is started with. */
  readonly options: Options & { readonly host: LocalHost }
  readonly keys: KeyRing
  readonly #path: string | undefined
  /** Undefined until there is a file. */
  #text: string | undefined
  readonly #clientSecrets: Readonly<Record<string, string>>

  /**
   * @param given What the caller passed: it tells generated values from given ones.
   * @throws {OptionError} where the file cannot be used, or is of another pool.
   */
  constructor(read: Options, given: TestUserPoolOptions) {
    this.#path = read.state
    const saved = read.state === undefined ? undefined : readPoolState(read.state)
    this.#text = saved?.text
    this.keys = saved?.keys ?? createKeyRing()
    const { definition } = read
    const secrets = listGeneratedSecrets(definition, given)
    this.#clientSecrets = { ...secrets, ...saved?.clientSecrets }
    const host = read.host ?? saved?.host ?? '127.0.0.1'
    const port = read.port === 0 ? (saved?.port ?? 0) : read.port
    const userPoolId = given.userPoolId ?? saved?.userPoolId ?? definition.userPoolId
    const clients = definition.clients.map((client) => {
      // A client may be called constructor, so only own members count.
      if (!Object.hasOwn(secrets, client.clientId)) return client
      const secret = this.#clientSecrets[client.clientId] as string
      return Object.freeze({ ...client, clientSecrets: Object.freeze([secret]) })
    })
    this.options = {
      ...read,
      ...{ host, port },
      definition: { ...definition, userPoolId, clients },
    }
    if (saved !== undefined) checkIssuer(read.state as string, saved, { host, port, userPoolId })
  }

  /**
   * Writes the file unless it has these keys already.
   *
   * @throws {OptionError} where it cannot be written.
   */
  write(issuer: string, keys: KeyRing): void {
    if (this.#path === undefined) return
    const text = formatPoolState({ issuer, keys, clientSecrets: this.#clientSecrets })
    if (text === this.#text) return
    if (this.#text === undefined) createStateFile(this.#path, text)
    else replaceStateFile(this.#path, text)
    this.#text = text
  }

  /** Another port is not the fix where the file decides about it. */
  readonly rethrowPortError = (error: OptionError): never => {
    if (this.#text === undefined || error.option !== 'port') throw error
    const { port } = this.options
    throw new OptionError(
      'port',
      `${port} is in use, and the state file is of that port: end what uses it, or name another file`,
    )
  }
}

/** Those that the options leave to the pool, by client ID. */
function listGeneratedSecrets(
  { clients }: PoolDefinition,
  { clients: given = [] }: TestUserPoolOptions,
): Record<string, string> {
  const withSecrets = new Set(
    given.filter((it) => it.clientSecrets !== undefined).map(({ clientId }) => clientId),
  )
  const generated = clients.filter(({ clientId }) => !withSecrets.has(clientId))
  return Object.fromEntries(
    generated.map(({ clientId, clientSecrets }) => [clientId, clientSecrets[0] as string]),
  )
}

/** Tokens name their issuer, so keys alone would not keep them valid. */
function checkIssuer(
  path: string,
  saved: SavedPoolState,
  { host, port, userPoolId }: Pick<SavedPoolState, 'host' | 'port' | 'userPoolId'>,
): void {
  if (host === saved.host && port === saved.port && userPoolId === saved.userPoolId) return
  const expected = `host ${host}, port ${port}, pool ${userPoolId}`
  const got = `host ${saved.host}, port ${saved.port}, pool ${saved.userPoolId}`
  throw createStateError(path, `: expected the state of ${expected}, got ${got}. Name another file`)
}
