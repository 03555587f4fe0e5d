/** The TCP link of one proxy process to Redis, which can be delayed. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { clock } from './scale.mjs'

/** See the first line. */
export class Link {
  /** Milliseconds by which requests to Redis are late; answers come at once. */
  delayMs = 0
  #server

  /** @returns The port to connect to in place of Redis's. */
  async open(redisPort) {
    this.#server = createServer({ noDelay: true }, (near) => this.#join(near, redisPort))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this.#server.address().port
  }

  #join(near, redisPort) {
    const far = connect({ port: redisPort, host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('error', () => {})
      from.once('close', () => to.destroy())
    }
    far.on('data', (chunk) => near.write(chunk))
    let dueAt = 0
    near.on('data', (chunk) => {
      // Never before the chunk that came first: the delay may end between two.
      dueAt = Math.max(dueAt, clock() + this.delayMs)
      const waitMs = dueAt - clock()
      if (waitMs <= 0) far.write(chunk)
      else setTimeout(() => far.write(chunk), waitMs)
    })
  }
}
