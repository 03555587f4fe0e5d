/** An open loop of callers at a steady rate: a slow answer slows nobody else. */
import { Pace } from './pace.mjs'
import { heartbeat, requestToken } from './request.mjs'
import { CALLERS, CLIENTS, clock, REQUESTS_PER_SECOND, SCOPE_SETS, sleep } from './scale.mjs'

const TICK_MS = 5
const HEARTBEAT_EVERY_MS = 250
const RAMP_MS = 2000
/** Prime, and no divisor of the callers: each asks once before any asks again, and neighbors differ. */
const STRIDE = 769
/** New clients that are refused ask again as `Retry-After` says, for so long. */
const RETRY_FOR_MS = 10_000

/** See the first line. */
export class Load {
  /** The act that is running: requests belong to the one in which they are sent. */
  act
  /** The processes that serve: `port` and `index`. */
  processes = []
  answers = []
  #timers = []
  #ordinary
  #uncached
  #open = new Set()

  start() {
    this.#ordinary = new Pace(REQUESTS_PER_SECOND, RAMP_MS)
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#beat(), HEARTBEAT_EVERY_MS),
    ]
  }

  /** Sends no more and resolves once everything is answered. */
  async stop() {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#open)
  }

  /** Clients without a cached token ask too, from now until the act is over. */
  startUncached() {
    const { act } = this
    const { clients, perSecond } = act.uncached
    const pace = new Pace(perSecond)
    this.#uncached = { act, clients, pace }
  }

  /** So many clients that the proxies never saw ask the first process at once. */
  newClients(count, { retry }) {
    const { act } = this
    for (let number = 0; number < count; number += 1) {
      const clientId = clientName('new', act, number)
      this.#track(this.#askInsistently({ clientId, scope: SCOPE_SETS[0], act }, retry))
    }
  }

  async #askInsistently(caller, retry) {
    const beganAt = clock()
    for (;;) {
      const answer = await this.#send(caller, 0, 'new')
      answer.sinceFirstMs = clock() - beganAt
      if (answer.status === 200 || !retry || answer.sinceFirstMs > RETRY_FOR_MS) return
      await sleep(1000 * Number(answer.retryAfter ?? 1))
    }
  }

  #tick() {
    this.#ordinary.tick((turn) => this.#sendOrdinary(turn))
    if (this.#uncached?.act !== this.act) return
    const { pace, clients } = this.#uncached
    pace.tick((turn) => this.#sendUncached(turn, clients))
  }

  #sendOrdinary(turn) {
    const caller = (turn * STRIDE) % CALLERS
    const clientId = `client-${caller % CLIENTS}`
    const group = Math.floor(caller / CLIENTS)
    const scope = SCOPE_SETS[group % SCOPE_SETS.length]
    const round = Math.floor(turn / CALLERS)
    this.#track(this.#send({ clientId, scope }, caller + group + round, 'ordinary'))
  }

  /** Each fifth request is of the first client, which asks the first process alone. */
  #sendUncached(turn, clients) {
    const isFirst = clients === 1 || turn % 5 === 0
    const clientId = clientName('uncached', this.act, isFirst ? 0 : 1 + (turn % (clients - 1)))
    const caller = { clientId, scope: SCOPE_SETS[0] }
    this.#track(this.#send(caller, isFirst ? 0 : turn, 'uncached'))
  }

  #beat() {
    const { act } = this
    for (const { port } of this.processes) {
      const beating = heartbeat(port).then((ms) => {
        act.heartbeatMs = Math.max(act.heartbeatMs, Math.round(ms))
      })
      this.#track(beating)
    }
  }

  async #send({ act = this.act, ...caller }, turn, kind) {
    const { port, index } = this.processes[turn % this.processes.length]
    const answer = await requestToken(port, caller)
    Object.assign(answer, { act, kind, process: index })
    this.answers.push(answer)
    return answer
  }

  #track(work) {
    this.#open.add(work)
    work.finally(() => this.#open.delete(work))
  }
}

/** Names of an act's own, for each time it is run. */
function clientName(kind, { name, attempt }, number) {
  return `${kind}-${name.replaceAll(/[^\w]+/g, '-')}-${attempt}-${number}`
}
