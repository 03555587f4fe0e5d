/** The HTTP server of a local pool: loopback only, one port across restarts, bounded bodies. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { OptionError } from '../../core/options/validate.ts'
import { MAX_FORM_BYTES } from '../../tokens/oauth/protocol.ts'

/** Loopback addresses that a pool can bind to. */
export const LOCAL_HOSTS = ['127.0.0.1', '::1'] as const

/** A loopback address that a pool can bind to. */
export type LocalHost = (typeof LOCAL_HOSTS)[number]

/** Node's default of 5 s is too short: on a busy machine, it can close a connection that is about to be reused. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000

/** Error codes of `listen` if IPv6 is off. */
const ADDRESS_ERRORS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/**
 * Another process may take the port of a stopped server for a moment, for example as the local port of a connection.
 * Two seconds of attempts.
 */
const MAX_ATTEMPTS = 41
const RETRY_MS = 50

/** Handles one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Listens on loopback and can stop and come back on the same port. */
export class LocalServer {
  #handler: Handler = async () => {}
  #server: Server | undefined
  #hasListened = false
  #port: number
  readonly host: LocalHost

  /** @param port 0 selects a free port, which later starts reuse. */
  constructor(port: number, host: LocalHost) {
    this.#port = port
    this.host = host
  }

  /** Sets the handler, which needs the port and so cannot be a constructor argument. */
  serve(handler: Handler): void {
    this.#handler = handler
  }

  get port(): number {
    return this.#port
  }

  /** Host and port, in the form of URLs and Host headers. */
  get authority(): string {
    return `${this.host === '::1' ? '[::1]' : this.host}:${this.#port}`
  }

  /** @throws {OptionError} for `port` or `host` if it is not available. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((request, response) => {
      // Only an aborted connection rejects, and no response can reach it.
      this.#handler(request, response).catch(() => response.destroy())
    })
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
    let attempts = this.#hasListened ? MAX_ATTEMPTS : 1
    for (;;) {
      const error = await this.#tryListen(server)
      attempts -= 1
      if (error === undefined) break
      if (error.code !== 'EADDRINUSE' || attempts === 0) throw this.#toOptionError(error)
      await setTimeout(RETRY_MS)
    }
    this.#server = server
    this.#hasListened = true
    this.#port = (server.address() as AddressInfo).port
  }

  #tryListen(server: Server): Promise<NodeJS.ErrnoException | undefined> {
    return new Promise((resolve) => {
      server.once('error', resolve)
      server.listen(this.#port, this.host, () => resolve(undefined))
    })
  }

  /** Closes every connection, with or without a response. New connections are refused. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** Whether a Host header names this server. Prevents DNS rebinding. */
  isAddressedBy(host: string | undefined): boolean {
    return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${this.#port}`)
  }

  #toOptionError({ code = '' }: NodeJS.ErrnoException): OptionError {
    if (ADDRESS_ERRORS.includes(code)) {
      return new OptionError(
        'host',
        `expected an address of this machine, got ${this.host} (${code}). Use 127.0.0.1, or turn IPv6 on.`,
      )
    }
    const reason = code === 'EADDRINUSE' ? 'which is in use' : `which cannot be used (${code})`
    return new OptionError(
      'port',
      `expected a free port, got ${this.#port}, ${reason}. Choose another port, or 0 for any.`,
    )
  }
}

/** Reads the body of a request. Undefined if it is larger than the limit of forms. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes <= MAX_FORM_BYTES) chunks.push(chunk)
  }
  return bytes > MAX_FORM_BYTES ? undefined : Buffer.concat(chunks)
}
