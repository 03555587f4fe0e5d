/**
 * The load, in a process of its own: a closed loop over keep-alive connections, one request at a
 * time on each. Requests are written by hand, from bytes made beforehand: the server is the one
 * that should be busy.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { answering } from '../machine.mjs'
import { forgetServers, sequenceOf } from './loads.mjs'

const LENGTH = /\r\ncontent-length: *(\d+)/i

/** Longer than any answer here. */
const ROOM = 4096

/** One keep-alive connection with one request on it at a time. */
class Connection {
  #socket
  #received = ''
  /** By status: how long whole answers were that came in one piece. */
  #lengths = new Map()
  #next
  #failed

  constructor(port) {
    // One buffer for all answers: allocating one for each would slow the load down most.
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

  /** What is as long as an answer before need not be looked into; everything else is. */
  #readSlowly(text) {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const length = Number(LENGTH.exec(this.#received)?.[1])
    if (this.#received.length < end + 4 + length) return
    const status = Number(this.#received.slice(9, 12))
    if (this.#received.length === text.length) this.#lengths.set(status, text.length)
    this.#received = ''
    this.#next(status)
  }

  async opened() {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
  }

  /** Sends what `take` gives until that is nothing more; resolves to the number of wrong answers. */
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

/** What is open now: one server is under load at a time. */
let connections = []

async function run({ port, load, requests, seed, credentials, isBare }) {
  const take = sequenceOf({ port, load, requests, seed, credentials, isBare })
  const wrong = await Promise.all(connections.map((connection) => connection.drain(take)))
  return { wrong: wrong.reduce((sum, count) => sum + count, 0) }
}

async function open({ port, connections: count }) {
  connections = Array.from({ length: count }, () => new Connection(port))
  await Promise.all(connections.map((connection) => connection.opened()))
}

function close() {
  for (const connection of connections) connection.close()
  connections = []
}

answering(async (message) => {
  if (message.connections !== undefined) await open(message)
  if (message.requests !== undefined) return run(message)
  if (message.forget === true) forgetServers()
  close()
  return {}
})
