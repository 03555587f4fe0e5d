/** Connections that stay open: event streams and websockets, and a clock that moves by hand. */
import { EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import { mock } from 'node:test'
import type { Test } from 'tap'
import { NOW } from './fastify.ts'
import { mockTimeouts } from './timers.ts'

/** The part of `ws` that is used here; the package brings no types. */
export interface Client extends NodeJS.EventEmitter {
  readonly readyState: number
  send(text: string): void
  close(code?: number, reason?: string): void
  terminate(): void
}
type Admitted = (socket: Client) => void
interface UpgradeServer {
  handleUpgrade(request: unknown, socket: unknown, head: Buffer, admitted: Admitted): void
}
const ws = createRequire(import.meta.url)('ws')
export const WebSocket: new (url: string, options: { headers: Record<string, string> }) => Client =
  ws
export const WebSocketServer: new (options: { noServer: true }) => UpgradeServer =
  ws.WebSocketServer

/** Both clocks of a server: its wall clock, and from {@link Clock.stop} on its timers too. */
export class Clock {
  wall = NOW
  readonly now = (): number => this.wall

  /** Only once the server listens: starting up has separate timers. */
  stop(test: Test): void {
    mockTimeouts()
    test.teardown(() => mock.timers.reset())
  }

  pass(milliseconds: number): void {
    // Second by second: a timer that is set while they tick starts at its end.
    for (let left = milliseconds; left > 0; left -= 1000) {
      const step = Math.min(1000, left)
      this.wall += step
      mock.timers.tick(step)
    }
  }
}

/** A peer that reads what comes, byte for byte, and says nothing but its request. */
export class Peer extends EventEmitter {
  readonly socket: Socket
  #received = Buffer.alloc(0)

  constructor(port: number, lines: readonly string[]) {
    super()
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.emit('received')
    })
    this.socket.on('end', () => this.emit('received'))
    this.send(...lines)
  }

  get text(): string {
    return this.#received.toString('latin1')
  }

  send(...lines: readonly string[]): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  /** Settles when this came; rejects when the server ended its half without. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.socket.readableEnded) throw new Error(`ended after ${JSON.stringify(this.text)}`)
      await once(this, 'received')
    }
  }

  /** Settles when the server ended its half. */
  async ended(): Promise<string> {
    while (!this.socket.readableEnded) await once(this, 'received')
    this.socket.destroy()
    return this.text
  }
}

/** The lines of a GET, with a credential or without. */
export const lines = (url: string, authorization?: string, ...more: string[]): string[] => [
  `GET ${url} HTTP/1.1`,
  'Host: api.example',
  ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ...more,
]

/** The lines of a GET that requests a WebSocket upgrade. */
export const upgradeLines = (url: string, authorization?: string): string[] =>
  lines(
    url,
    authorization,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  )

/** Where a text ends with a close frame of a server: its code, big-endian, before the reason. */
export const closeCode = (text: string): number => {
  const frame = Buffer.from(text.slice(text.lastIndexOf('\x88')), 'latin1')
  return frame[1] === frame.length - 2 ? frame.readUInt16BE(2) : Number.NaN
}
