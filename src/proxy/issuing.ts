/** Asks Cognito within the budget, and makes of its answer what is kept, remembered and told. */
import { secondsBetween, tell } from '../core/diagnostics.ts'
import type { Logger } from '../core/logger.ts'
import { has } from '../core/own-member.ts'
import type { SteadyStore } from '../store/steady-store.ts'
import { type Answer, json, retryAfter, unavailable } from './answers.ts'
import type { Budget } from './budget.ts'
import {
  type EntryLimits,
  encodeEntry,
  entryOf,
  type Held,
  issuingPool,
  leftToServe,
} from './entries.ts'
import type { Place } from './flights.ts'
import type { Pair, Pairs, Proof } from './pairs.ts'
import type { TokenRequest } from './token-request.ts'
import type { Upstream, UpstreamAnswer, UpstreamFailure } from './upstream.ts'

/** What came of asking. */
export type Outcome =
  /** Cognito's token. */
  | { readonly kind: 'issued'; readonly answer: Answer; readonly proof: Proof }
  /** Another's token, found while waiting. */
  | { readonly kind: 'found'; readonly held: Held }
  /** Cognito said no. */
  | {
      readonly kind: 'refused'
      readonly answer: Answer
      readonly error: string
      /** Of the pair before it was refused. */
      readonly proof: Proof | undefined
    }
  /** Nobody knows. */
  | {
      readonly kind: 'unavailable'
      readonly answer: Answer
      readonly error: string
      readonly proof: Proof | undefined
      /** Seconds Cognito asked to wait. */
      readonly wait: number | undefined
    }

/** A token to be asked for. */
export interface Want {
  readonly request: TokenRequest
  readonly place: Place
  readonly pair: Pair
}

/** What {@link Issuing} works with. */
export interface IssuingOptions {
  readonly instance: number
  readonly store: SteadyStore
  readonly pairs: Pairs
  readonly budget: Budget
  readonly upstream: Upstream
  readonly limits: EntryLimits
  readonly logger: Logger
  /** Milliseconds. */
  readonly now: () => number
  /** Milliseconds. */
  readonly monotonicNow: () => number
}

/** Seconds to wait where Cognito names none: for its own outage, and for a turn of ours. */
const OUTAGE_WAIT = 5
const TURN_WAIT = 1

const UNAVAILABLE = 'temporarily_unavailable'

/** See the module. */
export class Issuing {
  readonly #options: IssuingOptions
  #isFailing = false

  constructor(options: IssuingOptions) {
    this.#options = options
  }

  /** Over budget: an answer of ours, that says nothing of Cognito. */
  busy(proof: Proof | undefined): Outcome {
    const answer = unavailable(TURN_WAIT)
    return { kind: 'unavailable', answer, error: UNAVAILABLE, proof, wait: TURN_WAIT }
  }

  /** @param epoch Of the client's group, read before. Never rejects. */
  async ask(want: Want, epoch: string): Promise<Outcome> {
    const { pairs, budget, upstream, now, monotonicNow } = this.#options
    const proof = await pairs.proofOf(want.pair)
    const release = budget.take(monotonicNow(), proof?.clientId)
    if (release === undefined) return this.busy(proof)
    const [askedAt, begun] = [now(), monotonicNow()]
    const answer = await upstream.ask(want.request)
    release()
    this.#watch(answer)
    if (has(answer, 'code')) return outage(answer.retryAfter, proof)
    const { status, text, requestId } = answer
    const id: Record<string, string> =
      requestId === undefined ? {} : { 'x-amz-cognito-request-id': requestId }
    if (status === 200) return this.#issued(want, answer, { epoch, askedAt, begun, id })
    if (status >= 500) return outage(answer.retryAfter, proof, { status: 503, text, id })
    if (!isRefusal(answer)) return outage(answer.retryAfter, proof, { status, text, id })
    const error = errorOf(answer)
    if (error === 'invalid_client') await pairs.forget(want.pair)
    return { kind: 'refused', answer: json(status, text, id), error, proof }
  }

  async #issued(
    { place, pair }: Want,
    { text, body }: UpstreamAnswer,
    asked: { epoch: string; askedAt: number; begun: number; id: Record<string, string> },
  ): Promise<Outcome> {
    const { store, pairs, limits, instance, now, monotonicNow } = this.#options
    const { epoch, askedAt, begun, id } = asked
    const answer = json(200, text, id)
    const { access_token: accessToken } = body
    if (typeof accessToken !== 'string') {
      return { kind: 'unavailable', answer, error: UNAVAILABLE, proof: undefined, wait: undefined }
    }
    const { clientId } = pair
    const entry = entryOf(body, askedAt)
    const userPoolId = entry === undefined ? issuingPool(accessToken) : entry.userPoolId
    tell('cognito-m2m:token', () => ({
      ...{ instance, userPoolId, clientId, outcome: 'issued', error: null },
      duration: secondsBetween(begun, monotonicNow()),
    }))
    pairs.prove(pair, userPoolId)
    if (entry !== undefined) {
      const ttl = leftToServe(entry, now(), limits)
      // The record first: an entry that no record names would outlive its secret.
      await pairs.remember(pair, place.name, userPoolId)
      await store.keep(place.name, place.group, { value: encodeEntry(entry), epoch, ttl })
    }
    return { kind: 'issued', answer, proof: { clientId, userPoolId } }
  }

  /** One line when Cognito can no longer be asked, one when it can again. */
  #watch(answer: UpstreamAnswer | UpstreamFailure): void {
    const { logger } = this.#options
    const isFailing = has(answer, 'code') || !(answer.status === 200 || isRefusal(answer))
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    if (isFailing) logger.warn(factsOf(answer), 'cognito-m2m: Cognito issues no tokens')
    else logger.info({}, 'cognito-m2m: Cognito issues tokens again')
  }
}

function factsOf(answer: UpstreamAnswer | UpstreamFailure): object {
  if (!has(answer, 'code')) return { code: 'ERR_UPSTREAM_STATUS', status: answer.status }
  const { code, status, errno } = answer
  return {
    code,
    ...(status === undefined ? {} : { status }),
    ...(errno === undefined ? {} : { errno }),
  }
}

/**
 * Whether an answer says something about the request, and not only about the moment. One without
 * `error` is of who stands before Cognito, a firewall for one.
 */
function isRefusal({ status, body }: UpstreamAnswer): boolean {
  return status < 500 && status !== 408 && status !== 429 && typeof body['error'] === 'string'
}

function outage(
  asked: number | undefined,
  proof: Proof | undefined,
  told?: { status: number; text: string; id: Record<string, string> },
): Outcome {
  const seconds = asked ?? OUTAGE_WAIT
  const answer =
    told === undefined
      ? unavailable(seconds)
      : json(told.status, told.text, { ...told.id, ...retryAfter(seconds) })
  return { kind: 'unavailable', answer, error: UNAVAILABLE, proof, wait: asked }
}

/** `error` of Cognito's answer; only what is a code, for an event that carries no foreign text. */
function errorOf({ body }: UpstreamAnswer): string {
  const { error } = body
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'invalid_request'
}
