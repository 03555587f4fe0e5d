/**
 * The load, in a process of its own: an open loop, so that a server that falls behind is not spared.
 * Requests are written by hand and answers read no further than needed: an HTTP client would take
 * more CPU than the server and delay what it measures.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { secondsWaited } from './waited.mjs'

const STATUS = /^HTTP\/1\.1 (\d{3})/
const LENGTH = /\r\ncontent-length: *(\d+)/i

/** One keep-alive connection with one request on it at a time. */
class Connection {
  #socket
  #received = ''
  #done

  constructor(port, freed) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (data) => {
      this.#received += data
      const end = this.#received.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(LENGTH.exec(this.#received)?.[1])
      if (this.#received.length < end + 4 + length) return
      this.#done(STATUS.exec(this.#received)[1])
      this.#received = ''
      freed(this)
    })
    // A connection that breaks leaves its request unanswered, and the run fails for that.
    this.#socket.on('error', () => undefined)
  }

  async opened() {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
  }

  send(request, done) {
    this.#done = done
    this.#socket.write(request)
  }

  close() {
    this.#socket.destroy()
  }
}

function requestFor(path, token) {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`
}

/** Requests at a steady rate over a set of connections; what finds none free waits for one. */
class Traffic {
  statuses = {}
  latencies = []
  #free
  #all
  #waiting = []
  #nextToken
  #path
  #rate
  #sent = 0

  constructor({ port, path = '/orders', rate, connections, nextToken }) {
    this.#all = Array.from(
      { length: connections },
      () => new Connection(port, (it) => this.#freed(it)),
    )
    this.#free = [...this.#all]
    this.#nextToken = nextToken
    this.#path = path
    this.#rate = rate
  }

  async opened() {
    await Promise.all(this.#all.map((connection) => connection.opened()))
  }

  /** Sends what has become due. Latency counts from here, so waiting for a connection is part of it. */
  tick(elapsed) {
    while (this.#sent < (elapsed * this.#rate) / 1000) {
      this.#sent += 1
      this.#waiting.push({
        request: requestFor(this.#path, this.#nextToken()),
        at: performance.now(),
      })
    }
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      this.#dispatch(this.#free.pop(), this.#waiting.shift())
    }
  }

  #dispatch(connection, { request, at }) {
    connection.send(request, (status) => {
      this.latencies.push(performance.now() - at)
      this.statuses[status] = (this.statuses[status] ?? 0) + 1
    })
  }

  #freed(connection) {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(connection)
    else this.#dispatch(connection, next)
  }

  get unanswered() {
    return this.#sent - this.latencies.length
  }

  close() {
    for (const connection of this.#all) connection.close()
  }
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

/** Every token of a flood is new: none can be answered from memory. */
const forgers = {
  /** Names a key the server has, so each costs it a whole verification. */
  'bad-signature': ([header, payload, signature]) => {
    const claims = decode(payload)
    return () => `${header}.${encode({ ...claims, jti: randomUUID() })}.${signature}`
  },
  /** Names a key nobody has, as the next rotation would. */
  'unknown-kid': ([header, payload, signature]) => {
    const parameters = decode(header)
    return () => {
      const kid = randomBytes(32).toString('base64')
      return `${encode({ ...parameters, kid })}.${payload}.${signature}`
    }
  },
}

async function run({ port, path, forged, tokens, validRate, floodRate, seconds }) {
  let turn = 0
  const nextValid = () => tokens[turn++ % tokens.length]
  const nextToken = forgers[forged](tokens[0].split('.'))
  const valid = new Traffic({ port, rate: validRate, connections: 50, nextToken: nextValid })
  const flood = new Traffic({
    port,
    path,
    rate: floodRate,
    connections: floodRate && 50,
    nextToken,
  })
  await Promise.all([valid.opened(), flood.opened()])
  const begun = performance.now()
  const waited = secondsWaited()
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - begun
      if (elapsed < seconds * 1000) {
        valid.tick(elapsed)
        flood.tick(elapsed)
      } else if (valid.unanswered + flood.unanswered === 0 || elapsed > seconds * 1000 + 5000) {
        clearInterval(timer)
        resolve()
      }
    }, 1)
  })
  const loadWaited = secondsWaited() - waited
  valid.close()
  flood.close()
  const outcome = ({ statuses, unanswered }) => ({ ...statuses, ...(unanswered && { unanswered }) })
  return { loadWaited, latencies: valid.latencies, valid: outcome(valid), flood: outcome(flood) }
}

process.on('message', async (message) => process.send(await run(message)))
process.on('disconnect', () => process.exit())
