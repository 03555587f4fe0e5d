/**
 * An open loop: requests are due at a steady rate, whether the server keeps up or not. Latency counts from when a request
 * was due, so waiting for a free connection is part of it. A server that falls behind is therefore not spared.
 */
export class OpenLoop {
  /** Milliseconds, in the order of the responses. */
  latencies = []
  /** Number of responses by status. */
  statuses = {}
  /** Number of requests without a response, or with another status than expected. */
  wrong = 0
  /** Number of requests whose connection was closed. */
  failed = 0
  #free
  #waiting = []
  #take
  #rate
  #due = 0
  #begun

  /**
   * @param connections Open connections.
   * @param rate Requests per second.
   * @param take Returns the next request, `{ bytes, expected? }`, or undefined at the end.
   */
  constructor(connections, rate, take) {
    this.#free = [...connections]
    this.#rate = rate
    this.#take = take
  }

  start() {
    this.#begun = performance.now()
  }

  /** Sends what has become due. Call it as often as possible. */
  tick() {
    const elapsed = performance.now() - this.#begun
    while (this.#due < (elapsed * this.#rate) / 1000) {
      const request = this.#take()
      if (request === undefined) break
      this.#waiting.push({ request, at: (this.#due * 1000) / this.#rate })
      this.#due += 1
    }
    this.#dispatch()
  }

  get unanswered() {
    return this.#due - this.latencies.length
  }

  #dispatch() {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const connection = this.#free.pop()
      const { request, at } = this.#waiting.shift()
      const answered = (status) => {
        this.latencies.push(performance.now() - this.#begun - at)
        this.statuses[status] = (this.statuses[status] ?? 0) + 1
        if (status !== request.expected) this.wrong += 1
        this.#free.push(connection)
        this.#dispatch()
      }
      const failed = () => {
        this.failed += 1
        this.wrong += 1
      }
      connection.send(request.bytes).then(answered, failed)
    }
  }
}
