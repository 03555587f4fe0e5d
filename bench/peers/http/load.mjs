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

  /** Sends one request; resolves to whether its status is the expected one. */
  send({ bytes, expected }) {
    return new Promise((resolve, reject) => {
      this.#next = (status) => resolve(status === expected)
      this.#failed = reject
      this.#socket.write(bytes)
    })
  }

  close() {
    this.#failed = undefined
    this.#socket.destroy()
  }
}

/** What is open now: one server is under load at a time. */
let connections = []

async function run({ rate, ...message }) {
  const take = sequenceOf(message)
  if (rate !== undefined) return runPaced(take, rate)
  const begun = performance.now()
  const wrong = await Promise.all(connections.map((connection) => connection.drain(take)))
  const elapsed = performance.now() - begun
  return { wrong: wrong.reduce((sum, count) => sum + count, 0), elapsed }
}

/**
 * An open loop: requests are due at a steady rate, whether the server keeps up or not. Latency counts from when a
 * request was due, so waiting for a free connection is part of it.
 */
async function runPaced(take, rate) {
  const free = [...connections]
  const waiting = []
  const latencies = []
  let wrong = 0
  let due = 0
  let request = take()
  const begun = performance.now()
  const dispatch = () => {
    while (free.length > 0 && waiting.length > 0) {
      const connection = free.pop()
      const { next, at } = waiting.shift()
      connection.send(next).then((isRight) => {
        latencies.push(performance.now() - begun - at)
        if (!isRight) wrong += 1
        free.push(connection)
        dispatch()
      })
    }
  }
  while (request !== undefined || latencies.length < due) {
    for (
      const elapsed = performance.now() - begun;
      request !== undefined && due < (elapsed * rate) / 1000;
      due += 1
    ) {
      waiting.push({ next: request, at: (due * 1000) / rate })
      request = take()
    }
    dispatch()
    await new Promise((resolve) => setImmediate(resolve))
  }
  latencies.sort((one, other) => one - other)
  return { wrong, p99: latencies[Math.floor(latencies.length * 0.99)] }
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
