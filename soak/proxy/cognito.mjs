/** A fake token endpoint that fails in every way, and records the tokens it issued. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { clock, sleep, TOKEN_LIFE, UPSTREAM_LATENCY_MS } from './scale.mjs'
import { encodeToken } from './token.mjs'

const HUGE_ANSWER = JSON.stringify({ access_token: 'x'.repeat(1 << 20) })

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Answers of 200 that hold no token to serve; each client gets one of them. */
const INVALID_TOKENS = [
  ({ access_token: _, ...rest }) => rest,
  (answer) => ({ ...answer, expires_in: 0 }),
  (answer) => ({ ...answer, expires_in: -1 }),
  (answer) => ({ ...answer, expires_in: 'soon' }),
  (answer) => ({ ...answer, token_type: 'mac' }),
]

/** What is answered in place of a token, by fault. */
const FAULTS = {
  500: (response) => json(response, 500, { message: 'Internal Server Error' }),
  drop: (response) => response.destroy(),
  html: (response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<html><body>Sign in to the network</body></html>')
  },
  huge: (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(HUGE_ANSWER)
  },
  throttle: (response) =>
    json(response, 429, { error: 'too_many_requests' }, { 'retry-after': '30' }),
  hang: () => {},
}

/** These concern the clients without a cached token alone. */
const PARTIAL = ['throttle', 'invalid']
const CLIENT_OF_FAULT = /^uncached-.*-(\d+)$/

/** See the first line. */
export class Cognito {
  /** Whole seconds, from and to. */
  life = TOKEN_LIFE
  /** Of every token: `clientId`, `scope`, `issuedAt`, `expiresAt`. */
  issued = []
  #fault = null
  #server
  #port = 0

  /** @returns The port; the same each time. */
  async listen() {
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (request, response) =>
      // A caller that hung up needs no answer.
      this.#answer(request, response).catch(() => response.destroy()),
    )
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = this.#server.address().port
    return this.#port
  }

  /** @param fault A member of FAULTS, `invalid`, `refuse`, or null. */
  async setFault(fault) {
    if (this.#fault === 'refuse') await this.listen()
    this.#fault = fault
    if (fault !== 'refuse') return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request, response) {
    let text = ''
    request.setEncoding('utf8')
    request.on('error', () => {})
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    const [clientId, scope] = [form.get('client_id'), form.get('scope')]
    const [, number] = CLIENT_OF_FAULT.exec(clientId) ?? []
    const fault = PARTIAL.includes(this.#fault) && number === undefined ? null : this.#fault
    await sleep(UPSTREAM_LATENCY_MS)
    if (Object.hasOwn(FAULTS, fault)) return FAULTS[fault](response)
    const { facts, answer } = this.#issue(clientId, scope)
    if (fault === 'invalid') {
      return json(response, 200, INVALID_TOKENS[number % INVALID_TOKENS.length](answer))
    }
    // Only what was handed to the network can be cached by anybody.
    response.once('finish', () => this.issued.push(facts))
    json(response, 200, answer)
  }

  #issue(clientId, scope) {
    const [from, to] = this.life
    const seconds = from + Math.floor(Math.random() * (to - from + 1))
    const issuedAt = clock()
    const facts = { clientId, scope, issuedAt, expiresAt: issuedAt + seconds * 1000 }
    return {
      facts,
      answer: { access_token: encodeToken(facts), expires_in: seconds, token_type: 'Bearer' },
    }
  }
}
