/** A real local pool that is rotated, broken and restarted, and the record of it that answers are judged by. */
import { randomBytes } from 'node:crypto'
import { createTestUserPool, startUserPool } from '../dist/testing/index.js'

const SCOPES = ['orders/read']
/** Tokens made of each key, used in turn: a token of an old key cannot be made any more. */
const STOCK = 8
/** Keys whose tokens are still sent, the newest included. */
const RECENT = 3
/** Times a port is tried that something else took for a moment. */
const ATTEMPTS = 40

/** Answers in milliseconds; the only clock of the soak. */
export const clock = () => performance.now()

/** Making an RSA key takes too long to do it beside the load, so all that are needed are made before. */
function makeKeys() {
  const pool = createTestUserPool()
  for (let made = 0; made < 5; made += 1) pool.rotateKeys({ keepOld: true })
}

async function insistently(action) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** See the module. Times are taken before what ends something and after what begins something. */
export class RehearsedPool {
  /** Of every key pair so far: when it was published and removed, and tokens. */
  keys = []
  /** When the key set endpoint failed. */
  outages = []
  #pool
  #earlierFetches = 0
  #turn = 0

  async start() {
    makeKeys()
    await this.#listen()
    this.#published()
  }

  options() {
    return this.#pool.options()
  }

  /** Key set requests that arrived: none while connections are refused. */
  get fetches() {
    return this.#earlierFetches + this.#pool.jwksRequests
  }

  /** From now on the first keys count as known: servers have answered by them. */
  learned() {
    for (const key of this.keys) key.publishedAt = Number.NEGATIVE_INFINITY
  }

  rotate({ keepOld }) {
    if (!keepOld) this.#removed()
    this.#pool.rotateKeys({ keepOld })
    this.#published()
  }

  async fail(fault) {
    if (!this.#isFailing) this.outages.push({ from: clock() })
    await this.#pool.setJwksFault(fault)
  }

  async heal() {
    if (!this.#isFailing) return
    await insistently(() => this.#pool.setJwksFault(null))
    this.outages.at(-1).until = clock()
  }

  /** Another pool with the same id on the same port: a rotation that removes, behind a short outage. */
  async restart() {
    const { port, userPoolId } = this.#pool
    if (!this.#isFailing) this.outages.push({ from: clock() })
    this.#removed()
    this.#earlierFetches += this.#pool.jwksRequests
    await this.#pool.close()
    await insistently(() => this.#listen({ port, userPoolId }))
    this.outages.at(-1).until = clock()
    this.#published()
  }

  async close() {
    await this.#pool.close()
  }

  /**
   * A request of a kind: its token, and the key the token names where that matters.
   *
   * @param learnt Only keys that servers had before the last rotation, which removed them.
   */
  request(kind, { learnt = false } = {}) {
    const { removedAt } = this.keys.at(-2) ?? {}
    const usable = learnt
      ? this.keys.filter((key) => key.removedAt === removedAt)
      : this.keys.slice(-RECENT)
    const turn = this.#turn++
    const key = usable[turn % usable.length]
    const of = (stock) => stock[Math.floor(turn / usable.length) % stock.length]
    if (kind === 'valid') return { kind, key, token: of(key.valid) }
    if (kind === 'bad signature') return { kind, key, token: of(key.forged) }
    if (kind === 'expired') return { kind, token: of(key.expired) }
    if (kind === 'random kid') return { kind, token: this.#pool.tampered.unknownKey() }
    return { kind, token: this.#garbage(turn, of(key.valid)) }
  }

  get #isFailing() {
    const last = this.outages.at(-1)
    return last !== undefined && last.until === undefined
  }

  async #listen(same = {}) {
    this.#pool = await startUserPool({ ...same, clients: [{ clientId: 'soak', scopes: SCOPES }] })
  }

  #published() {
    const pool = this.#pool
    const stock = (make) => Array.from({ length: STOCK }, (_, index) => make(index))
    const { wrongKey, altered, expired } = pool.tampered
    this.keys.push({
      valid: stock(() => pool.accessToken()),
      forged: stock((index) => (index % 2 === 0 ? wrongKey() : altered())),
      expired: stock(() => expired()),
      publishedAt: clock(),
    })
  }

  #removed() {
    const at = clock()
    for (const key of this.keys) key.removedAt ??= at
  }

  #garbage(turn, valid) {
    const noise = randomBytes(24).toString('base64url')
    const shapes = [noise, `${noise}.${noise}.${noise}`, `${valid}=`, `${valid}.${noise}`]
    return turn % 5 === 4 ? this.#pool.tampered.unsigned() : shapes[turn % shapes.length]
  }
}
