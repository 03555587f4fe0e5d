/** The listening half of a local pool: loopback, one port that survives an outage, bounded bodies. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OptionError } from '../core/options/validate.ts'
import { MAX_FORM_BYTES } from '../tokens/oauth/form.ts'

/** The addresses of loopback that a pool may bind to. */
export const LOCAL_HOSTS = ['127.0.0.1', '::1'] as const

/** One of them. */
export type LocalHost = (typeof LOCAL_HOSTS)[number]

/**
 * Milliseconds. Node's five seconds are too short on a busy machine: a connection that is closed just as
 * it is used again looks like an outage.
 */
const KEEP_ALIVE_TIMEOUT_MS = 60_000

/** What listening ends with where IPv6 is off. */
const ADDRESS_ERRORS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Listens on loopback and can stop and come back on the same port. */
export class LocalServer {
  #handler: Handler = async () => {}
  #server: Server | undefined
  #port: number
  readonly host: LocalHost

  /** @param port 0 takes a free port, which later starts use again. */
  constructor(port: number, host: LocalHost) {
    this.#port = port
    this.host = host
  }

  /** What answers: it can only be made once the port is known. */
  serve(handler: Handler): void {
    this.#handler = handler
  }

  get port(): number {
    return this.#port
  }

  /** Host and port as URLs and Host headers have them. */
  get authority(): string {
    return `${this.host === '::1' ? '[::1]' : this.host}:${this.#port}`
  }

  /** @throws {OptionError} naming `port` or `host`, where it is not available. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((request, response) => {
      // Only a connection that broke off rejects, and there is nobody left to answer.
      this.#handler(request, response).catch(() => response.destroy())
    })
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(this.#toOptionError(error)))
      server.listen(this.#port, this.host, resolve)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends every connection, answered or not: new ones are refused. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** Whether a Host header names this server: a name that resolves here is not enough. */
  isAddressedBy(host: string | undefined): boolean {
    return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${this.#port}`)
  }

  #toOptionError({ code = '' }: NodeJS.ErrnoException): OptionError {
    if (ADDRESS_ERRORS.includes(code)) {
      return new OptionError(
        'host',
        `${this.host} is not an address of this machine (${code}): use 127.0.0.1, or turn IPv6 on`,
      )
    }
    const problem = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`
    return new OptionError('port', `${this.#port} ${problem}: choose another one, or 0 for any`)
  }
}

/** Reads a request's body; undefined where it is larger than a form may be. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes <= MAX_FORM_BYTES) chunks.push(chunk)
  }
  return bytes > MAX_FORM_BYTES ? undefined : Buffer.concat(chunks)
}
