/**
 * One keep-alive connection of a load generator, with one request on it at a time. Requests are bytes that are made
 * beforehand, and responses are read no further than needed: the server is the one that should be busy.
 */
import { once } from 'node:events'
import { connect } from 'node:net'

const LENGTH = /\r\ncontent-length: *(\d+)/i

/** Longer than any response of the benchmarks. */
const ROOM = 4096

export class Connection {
  #socket
  #received = ''
  /** By status: the lengths of whole responses that arrived in one piece. */
  #lengths = new Map()
  #next
  #failed

  constructor(port) {
    // One buffer for all responses: an allocation for each would slow the load down most.
    const onread = {
      buffer: Buffer.alloc(ROOM),
      callback: (size, bytes) => this.#read(size, bytes),
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.#failed?.(new Error('the server hung up')))
  }

  #read(size, bytes) {
    const status = (bytes[9] - 48) * 100 + (bytes[10] - 48) * 10 + bytes[11] - 48
    if (this.#received === '' && this.#lengths.get(status) === size) this.#next(status)
    else this.#readSlowly(bytes.latin1Slice(0, size))
    return true
  }

  /** A response as long as one before with the same status needs no parsing. */
  #readSlowly(text) {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const length = LENGTH.exec(this.#received)?.[1]
    // Without a length, the body ends with an empty chunk.
    if (length === undefined && !this.#received.endsWith('\r\n0\r\n\r\n')) return
    if (length !== undefined && this.#received.length < end + 4 + Number(length)) return
    const status = Number(this.#received.slice(9, 12))
    if (this.#received.length === text.length) this.#lengths.set(status, text.length)
    this.#received = ''
    this.#next(status)
  }

  async opened() {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
  }

  /** Sends one request. Resolves to the status of the response, and rejects if the server hangs up. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#next = resolve
      this.#failed = reject
      this.#socket.write(bytes)
    })
  }

  /** Sends what `take` returns until that is undefined. Resolves to the number of unexpected statuses. */
  drain(take) {
    return new Promise((resolve, reject) => {
      let wrong = 0
      let expected
      const send = () => {
        const request = take()
        if (request === undefined) {
          resolve(wrong)
          return
        }
        expected = request.expected
        this.#socket.write(request.bytes)
      }
      this.#next = (status) => {
        if (status !== expected) wrong += 1
        send()
      }
      this.#failed = reject
      send()
    })
  }

  close() {
    this.#failed = undefined
    this.#socket.destroy()
  }
}

/** @returns So many open connections to a port of loopback. */
export async function openConnections(port, count) {
  const connections = Array.from({ length: count }, () => new Connection(port))
  await Promise.all(connections.map((connection) => connection.opened()))
  return connections
}
