/** The client secrets of a running pool: at most two for each app client, added and deleted as in Cognito. */
import type { PoolClient } from '../clients.ts'

/** A client secret with the facts that Cognito lists. */
export interface ClientSecret {
  /** `<client ID>--<epoch seconds>`. */
  readonly id: string
  readonly value: string
  /** Epoch seconds. */
  readonly createdAt: number
}

export class ClientSecrets {
  /** The app clients. Their `clientSecrets` are those at the time of the access. */
  readonly clients: readonly PoolClient[]
  readonly #secrets = new Map<string, readonly ClientSecret[]>()
  /** IDs and values since the start. An ID is not used twice. */
  readonly #ids = new Set<string>()
  readonly #values = new Set<string>()
  readonly #now: () => number

  /** @param now Wall clock, milliseconds. */
  constructor(clients: readonly PoolClient[], now: () => number) {
    this.#now = now
    for (const { clientId, clientSecrets } of clients) {
      this.#secrets.set(clientId, [])
      for (const value of clientSecrets) this.add(clientId, value)
    }
    this.clients = Object.freeze(clients.map((client) => this.#createLiveClient(client)))
  }

  /** All values since the start, deleted ones too. */
  get values(): readonly string[] {
    return [...this.#values]
  }

  /** @returns Undefined for an unknown client. Empty for a public client. */
  list(clientId: string): readonly ClientSecret[] | undefined {
    return this.#secrets.get(clientId)
  }

  add(clientId: string, value: string): ClientSecret {
    const secrets = this.#secrets.get(clientId) as readonly ClientSecret[]
    const createdAt = Math.floor(this.#now() / 1000)
    let number = createdAt
    while (this.#ids.has(`${clientId}--${number}`)) number += 1
    const secret = { id: `${clientId}--${number}`, value, createdAt }
    this.#ids.add(secret.id)
    this.#secrets.set(clientId, [...secrets, secret])
    this.#values.add(value)
    return secret
  }

  delete(clientId: string, id: string): void {
    const secrets = this.#secrets.get(clientId) as readonly ClientSecret[]
    this.#secrets.set(
      clientId,
      secrets.filter((secret) => secret.id !== id),
    )
  }

  #createLiveClient(client: PoolClient): PoolClient {
    const secrets = this.#secrets
    return Object.freeze({
      ...client,
      get clientSecrets() {
        const current = secrets.get(client.clientId) as readonly ClientSecret[]
        return Object.freeze(current.map(({ value }) => value))
      },
    })
  }
}
