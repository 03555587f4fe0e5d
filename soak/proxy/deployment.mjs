/** Redis, Cognito, the links and the proxy processes: started, broken, repaired and ended. */
import { randomBytes } from 'node:crypto'
import { forkCallable } from './calls.mjs'
import { Load } from './load.mjs'
import { readLoopDelay } from './loop-delay.mjs'
import { Redis } from './redis.mjs'
import { heartbeat } from './request.mjs'
import { CLOCK_OFFSETS_MS, PROXIES, TIMEOUT } from './scale.mjs'

const WARM_UP_ROUNDS = 100

/** See the first line. */
export class Deployment {
  redis = new Redis()
  load = new Load()
  #environment = forkCallable('environment.mjs')
  #proxies = []
  #ports = []
  #serving = () => true

  async start() {
    await this.redis.start()
    const port = await this.#environment.call('listen')
    const settings = {
      tokenEndpoint: `http://127.0.0.1:${port}/oauth2/token`,
      encryptionKeys: [{ id: 'soak', key: randomBytes(32).toString('base64') }],
      timeout: TIMEOUT,
    }
    for (const clockOffsetMs of [...Array(PROXIES).fill(0), ...CLOCK_OFFSETS_MS]) {
      const redisPort = await this.#environment.call('openLink', this.redis.port)
      const proxy = forkCallable('server.mjs')
      this.#proxies.push(proxy)
      this.#ports.push(await proxy.call('open', { ...settings, redisPort, clockOffsetMs }))
    }
  }

  /** Every process has compiled what it needs, and connections are open, before anything is measured. */
  async warmUp() {
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
      await Promise.all(this.#ports.map((port) => heartbeat(port)))
    }
    await this.readLoopDelays()
  }

  async close() {
    for (const { child } of [...this.#proxies, this.#environment]) {
      if (child.connected) child.disconnect()
    }
    await this.redis.kill()
  }

  setFault(fault) {
    return this.#environment.call('setFault', fault)
  }

  setLife(life) {
    return this.#environment.call('setLife', life)
  }

  delayLink(index, delayMs) {
    return this.#environment.call('delayLink', { index, delayMs })
  }

  /** @param clocks `same`, or `apart`: two of the four processes are others, with clocks of their own. */
  useClocks(clocks) {
    const apart = clocks === 'same' ? 0 : CLOCK_OFFSETS_MS.length
    this.#serving = (_, index) => index < PROXIES - apart || (index >= PROXIES && apart > 0)
    this.load.processes = this.#ports
      .map((port, index) => ({ port, index }))
      .filter((_, index) => this.#serving(_, index))
  }

  /** @returns The event-loop delay of every process that serves, since the last reading. */
  async readLoopDelays() {
    const [cognito, ...proxies] = await Promise.all(
      [this.#environment, ...this.#proxies].map(({ call }) => call('readLoopDelay')),
    )
    return { harness: readLoopDelay(), cognito, proxies: proxies.filter(this.#serving) }
  }

  /** @returns Every token that Cognito issued, in order. */
  issued() {
    return this.#environment.call('issued')
  }

  /** @returns When Redis, the links and the proxies stood still, each with the index of its proxy, if it is one. */
  async stalls() {
    const proxies = this.#proxies.map(async ({ call }, proxy) =>
      (await call('readStalls')).map((stall) => ({ ...stall, proxy })),
    )
    const cognito = await this.#environment.call('readStalls')
    return [...this.redis.stalls, ...cognito, ...(await Promise.all(proxies)).flat()]
  }

  /** @returns Every request that a proxy sent to Cognito, in order. */
  async upstreamRequests() {
    const lists = await Promise.all(this.#proxies.map(({ call }) => call('requests')))
    return lists.flat().sort((one, other) => one.at - other.at)
  }
}
