/** A steady rate of an open loop. What this process was too late to send is left out, not sent at once. */
import { clock } from './scale.mjs'

/** A tick that comes later than this sends no more than one that comes now. */
const MAX_TICK_MS = 25

/** See the first line. */
export class Pace {
  #perSecond
  #rampMs
  #beganAt = clock()
  #lastAt = clock()
  #due = 0
  #sent = 0

  /** @param rampMs The rate grows from nothing in this time. */
  constructor(perSecond, rampMs = 0) {
    this.#perSecond = perSecond
    this.#rampMs = rampMs
  }

  /** Calls `send` with a number that counts up, as often as it is time. */
  tick(send) {
    const now = clock()
    const share = Math.min(1, (now - this.#beganAt) / this.#rampMs)
    this.#due += (Math.min(MAX_TICK_MS, now - this.#lastAt) * share * this.#perSecond) / 1000
    this.#lastAt = now
    for (; this.#sent < this.#due; this.#sent += 1) send(this.#sent)
  }
}
