/** A token request, read, to its answer: from the refusals remembered, the store, or Cognito. */
import { secondsBetween, type TokenEvent, tell } from '../core/diagnostics.ts'
import type { SteadyStore } from '../store/steady-store.ts'
import type { Found } from '../store/token-store.ts'
import { type Answer, token } from './answers.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Budget } from './budget.ts'
import {
  answerText,
  decodeEntry,
  type Entry,
  type EntryLimits,
  type EntryState,
  type Held,
  held,
} from './entries.ts'
import { Flights } from './flights.ts'
import { identityOf, pairIdentityOf } from './identity.ts'
import type { Issuing, Outcome, Want } from './issuing.ts'
import type { Pair, Pairs, Proof } from './pairs.ts'
import { Refusals, type Refused } from './refusals.ts'
import { Renewals } from './renewals.ts'
import type { TokenRequest } from './token-request.ts'

/** What {@link Exchange} works with. */
export interface ExchangeOptions {
  readonly instance: number
  readonly tokenEndpoint: string
  readonly store: SteadyStore
  readonly pairs: Pairs
  readonly budget: Budget
  readonly issuing: Issuing
  readonly limits: EntryLimits
  /** Milliseconds a request to Cognito may take. */
  readonly timeout: number
  /** Milliseconds. */
  readonly now: () => number
  /** Milliseconds. */
  readonly monotonicNow: () => number
}

/** App clients whose group is not computed anew; strangers may name as many as they like. */
const MAX_GROUPS = 10_000

/** See the module. */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #flights: Flights<Outcome>
  readonly #refusals: Refusals
  readonly #renewals: Renewals
  readonly #groups = new BoundedMap<string>(MAX_GROUPS)
  /** By request and by bytes: both are the same objects again for a caller who comes again. */
  readonly #names = new WeakMap<TokenRequest, string>()
  readonly #entries = new WeakMap<Uint8Array, Entry>()

  constructor(options: ExchangeOptions) {
    const { store, timeout, monotonicNow } = options
    this.#options = options
    this.#flights = new Flights(store, timeout)
    this.#refusals = new Refusals(monotonicNow)
    this.#renewals = new Renewals(monotonicNow)
  }

  /** @param begun Monotonic, milliseconds, when the request came. Never rejects. */
  async answer(request: TokenRequest, begun: number): Promise<Answer> {
    const { store } = this.#options
    const name = this.#name(request)
    const refused = this.#refusals.get(name)
    if (refused !== undefined) return this.#refuse(refused, begun)
    const place = { name, group: this.#group(request.clientId) }
    const found = await store.find(name, place.group)
    const known = this.#held(found)
    if (known?.state === 'fresh') return this.#serve(known, request, begun)
    const want = { request, place, pair: this.#pair(request, place.group) }
    if (known?.state === 'due') this.#renew(want, found.epoch)
    const isServed =
      known?.state === 'due' || (known?.state === 'late' && !this.#renewals.isDue(name))
    if (isServed) return this.#serve(known, request, begun)
    return this.#replace(want, found, begun)
  }

  /** What was found, while it is good for anything. */
  #held({ value }: Found): Held | undefined {
    if (value === undefined) return undefined
    const entry = this.#entries.get(value) ?? decodeEntry(value)
    if (entry === undefined) return undefined
    this.#entries.set(value, entry)
    return held(entry, this.#options.now(), this.#options.limits)
  }

  /** A token from Cognito; where there is none to be had, what was found while it is good. */
  async #replace(want: Want, found: Found, begun: number): Promise<Answer> {
    const { request, place } = want
    const { outcome, isShared } = await this.#fly(want, found)
    if (outcome.kind === 'found') return this.#serve(outcome.held, request, begun)
    if (outcome.kind === 'issued') {
      if (isShared) this.#tell('cached', null, outcome.proof, begun)
      return outcome.answer
    }
    if (outcome.kind === 'refused') {
      this.#refusals.set(place.name, outcome)
      if (found.value !== undefined) await this.#options.store.drop(place.name, place.group)
      return this.#refuse(outcome, begun)
    }
    // Looked up again: what was found before Cognito was asked may have been invalidated since.
    const fallback = this.#held(await this.#options.store.find(place.name, place.group))
    if (fallback !== undefined) return this.#serve(fallback, request, begun)
    this.#tell('unavailable', outcome.error, outcome.proof, begun)
    return outcome.answer
  }

  /** Shares the flight there is, or starts one. */
  async #fly(
    want: Want,
    { epoch, value }: Found,
  ): Promise<{ outcome: Outcome; isShared: boolean }> {
    const { pairs, budget, issuing, monotonicNow } = this.#options
    const { name } = want.place
    const shared = this.#flights.underWay(name, epoch)
    if (shared !== undefined) return { outcome: await shared, isShared: true }
    const proof = await pairs.proofOf(want.pair)
    // A flood of guesses ends here: it takes no lock, and no look-up of its own.
    if (proof === undefined && !budget.isFree(monotonicNow(), undefined)) {
      return { outcome: issuing.busy(proof), isShared: false }
    }
    const meanwhile = this.#flights.underWay(name, epoch)
    const flight = meanwhile ?? this.#start(want, epoch, ['fresh', 'due'], value !== undefined)
    return { outcome: await flight, isShared: meanwhile !== undefined }
  }

  /** Nobody waits for it, and it fails nobody. */
  #renew(want: Want, epoch: string): void {
    const { name, group } = want.place
    if (!this.#renewals.isDue(name) || this.#flights.underWay(name, epoch) !== undefined) return
    void this.#start(want, epoch, ['fresh'], true).then((outcome) => {
      const isGone = outcome.kind === 'refused' && outcome.error === 'invalid_client'
      if (!isGone) return
      this.#refusals.set(name, outcome)
      // The pair's record may be gone from a store that evicts, and its entry not.
      void this.#options.store.drop(name, group)
    })
  }

  /**
   * @param enough What another process may have brought for this flight to be over.
   * @param isHeld Whether a token is at hand that makes a failure worth remembering.
   */
  #start(
    want: Want,
    epoch: string,
    enough: readonly EntryState[],
    isHeld: boolean,
  ): Promise<Outcome> {
    const { name } = want.place
    const look = (found: Found): Outcome | undefined => {
      const there = this.#held(found)
      if (there === undefined || !enough.includes(there.state)) return undefined
      return { kind: 'found', held: there }
    }
    const ask = async (current: string): Promise<Outcome> => {
      const outcome = await this.#options.issuing.ask(want, current)
      if (outcome.kind === 'issued') this.#renewals.succeeded(name)
      else if (isHeld)
        this.#renewals.failed(name, outcome.kind === 'unavailable' ? outcome.wait : undefined)
      return outcome
    }
    return this.#flights.start(want.place, epoch, { look, ask })
  }

  #serve(held: Held, { clientId }: TokenRequest, begun: number): Answer {
    this.#tell('cached', null, { clientId, userPoolId: held.entry.userPoolId }, begun)
    return token(answerText(held))
  }

  #refuse({ answer, error, proof }: Refused, begun: number): Answer {
    this.#tell('refused', error, proof, begun)
    return answer
  }

  #tell(
    outcome: TokenEvent['outcome'],
    error: string | null,
    proof: Proof | undefined,
    begun: number,
  ): void {
    const { instance, monotonicNow } = this.#options
    tell('cognito-m2m:token', () => ({
      instance,
      userPoolId: proof?.userPoolId ?? null,
      clientId: proof?.clientId ?? null,
      outcome,
      error,
      duration: secondsBetween(begun, monotonicNow()),
    }))
  }

  #pair(request: TokenRequest, entries: string): Pair {
    const { tokenEndpoint, store } = this.#options
    const { clientId } = request
    const name = store.name(pairIdentityOf(tokenEndpoint, request))
    // No id has a blank in it: this group is no client's.
    return { clientId, entries, record: { name, group: this.#group(`pairs of ${clientId}`) } }
  }

  #name(request: TokenRequest): string {
    const { tokenEndpoint, store } = this.#options
    const name = this.#names.get(request) ?? store.name(identityOf(tokenEndpoint, request))
    this.#names.set(request, name)
    return name
  }

  #group(clientId: string): string {
    const known = this.#groups.get(clientId)
    if (known !== undefined) return known
    const group = this.#options.store.group(clientId)
    this.#groups.set(clientId, group)
    return group
  }
}
