/** An open loop of requests at a steady rate, all kinds in turn, against every server alike. */
import { Agent, request } from 'node:http'
import { clock } from './rehearsed-pool.mjs'

/** Requests per second and server. */
export const RATE = 150
/** Kinds in turn: how often one stands here is its share. */
const KINDS = [
  ...['valid', 'expired', 'valid', 'garbage', 'valid'],
  ...['random kid', 'valid', 'bad signature', 'valid', 'bad signature'],
]
/** An answer that takes longer is none: an unknown kid waits for a fetch or two. */
const PATIENCE = 15_000

const agent = new Agent({ keepAlive: true, maxSockets: 200, scheduling: 'fifo' })

/** Never rejects: what is no answer has no status. */
export function ask(port, token) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` }
    const asked = request({ agent, port, host: '127.0.0.1', path: '/orders', headers })
    const failed = (error) => resolve({ code: error.code ?? error.message })
    asked.setTimeout(PATIENCE, () => asked.destroy(new Error('not answered')))
    asked.once('error', failed)
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.once('error', failed)
      response.on('data', (chunk) => {
        text += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode, code: codeIn(text) }))
    })
    asked.end()
  })
}

function codeIn(text) {
  try {
    return JSON.parse(text).code
  } catch {
    return 'no JSON'
  }
}

/** See the module. What is sent follows the act of the moment. */
export class Load {
  #ports
  #pool
  #onAnswer
  #timer
  #begun = clock()
  #sent = 0
  #open = new Set()

  constructor({ ports, pool, onAnswer }) {
    this.#ports = ports
    this.#pool = pool
    this.#onAnswer = onAnswer
  }

  /** The act that is played: its requests belong to it, whenever they are answered. */
  act

  start() {
    this.#begun = clock()
    this.#timer = setInterval(() => this.#tick(), 4)
  }

  /** Sends no more and settles when all was answered. */
  async stop() {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
    agent.destroy()
  }

  #tick() {
    for (const due = ((clock() - this.#begun) * RATE) / 1000; this.#sent < due; this.#sent += 1) {
      const kind = KINDS[this.#sent % KINDS.length]
      const learnt = this.act.sent === 'without unknown kids'
      if (kind === 'random kid' && learnt) continue
      const { token, ...asked } = this.#pool.request(kind, { learnt })
      for (const server of Object.keys(this.#ports)) {
        const sending = this.#send({ ...asked, server, act: this.act }, token)
        this.#open.add(sending)
        sending.then(() => this.#open.delete(sending))
      }
    }
  }

  async #send(asked, token) {
    const sentAt = clock()
    const { status, code } = await ask(this.#ports[asked.server], token)
    this.#onAnswer({ ...asked, sentAt, answeredAt: clock(), status, code })
  }
}
