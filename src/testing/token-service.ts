/** Answers token requests of a local pool, within its quota, and tells and logs what came of them. */
import type { IncomingMessage } from 'node:http'
import {
  nextInstance,
  publish,
  secondsBetween,
  type TokenRequestEvent,
} from '../core/diagnostics.ts'
import { safeClock } from '../core/util/clock.ts'
import { type LocalServer, readBody } from './local-server.ts'
import type { UserPoolAuthority } from './test-user-pool.ts'
import {
  createTokenError,
  handleTokenRequest,
  type JsonResponse,
  type TokenResponse,
} from './token-endpoint.ts'
import { type CloudTrailTokenEvent, createTokenEvent } from './token-log.ts'
import { TokenQuota } from './token-quota.ts'

/** Events that are kept. */
const MAX_EVENTS = 1000

/** What a local pool is told about its token endpoint. */
export interface TokenServiceOptions {
  /** Token requests per second; false for no limit. */
  readonly quota: number | false
  readonly onEvent: ((event: CloudTrailTokenEvent) => void) | undefined
  /** Milliseconds. */
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** See above. */
export class TokenService {
  readonly instance: number = nextInstance()
  readonly #pool: UserPoolAuthority
  readonly #server: Pick<LocalServer, 'authority' | 'host'>
  readonly #options: TokenServiceOptions
  readonly #monotonicNow: () => number
  readonly #quota: TokenQuota | undefined
  readonly #secrets: readonly string[]
  #events: readonly CloudTrailTokenEvent[] = []
  /** App clients that got a token. */
  readonly #verifiedClients = new Set<string>()

  constructor(
    pool: UserPoolAuthority,
    server: Pick<LocalServer, 'authority' | 'host'>,
    options: TokenServiceOptions,
  ) {
    const { quota, monotonicNow } = options
    this.#pool = pool
    this.#server = server
    this.#options = options
    this.#monotonicNow = safeClock(monotonicNow)
    this.#quota = quota === false ? undefined : new TokenQuota(quota, monotonicNow)
    this.#secrets = pool.clients.flatMap(({ clientSecrets }) => clientSecrets)
  }

  get events(): readonly CloudTrailTokenEvent[] {
    return this.#events
  }

  async answer(request: IncomingMessage): Promise<JsonResponse> {
    const { method = '', headers } = request
    const begun = this.#monotonicNow()
    const body = await readBody(request)
    const isWithin = this.#quota?.tryConsume() ?? true
    const answer = isWithin
      ? handleTokenRequest(this.#pool, {
          method,
          contentType: headers['content-type'],
          authorization: request.headersDistinct['authorization'] ?? [],
          body,
        })
      : createTokenError('TooManyRequestsException', 429)
    this.#publishEvent(answer, secondsBetween(begun, this.#monotonicNow()))
    if (method === 'POST') this.#recordEvent(request, answer)
    return answer
  }

  #publishEvent({ clientId, error }: TokenResponse, duration: number): void {
    if (clientId !== null && error === null) this.#verifiedClients.add(clientId)
    const isProven = clientId !== null && this.#verifiedClients.has(clientId)
    publish('cognito-m2m:token-request', () => ({
      instance: this.instance,
      userPoolId: isProven ? this.#pool.userPoolId : null,
      ...{ clientId, outcome: getOutcome(error), error, code: null, duration },
    }))
  }

  #recordEvent({ headers }: IncomingMessage, answer: TokenResponse): void {
    const { userPoolId } = this.#pool
    const { authority: userPoolDomain, host: sourceIPAddress } = this.#server
    const pool = { userPoolId, userPoolDomain, sourceIPAddress, secrets: this.#secrets }
    const event = createTokenEvent(
      { ...pool, now: this.#options.now },
      {
        ...{ status: answer.status, form: answer.form, clientId: answer.clientId },
        requestId: answer.headers['x-amz-cognito-request-id'] as string,
        userAgent: headers['user-agent'] ?? '',
      },
    )
    this.#events = [...this.#events.slice(1 - MAX_EVENTS), event]
    try {
      this.#options.onEvent?.(event)
    } catch {
      // A log that fails is no reason to refuse a token.
    }
  }
}

function getOutcome(error: string | null): TokenRequestEvent['outcome'] {
  if (error === null) return 'issued'
  return error === 'TooManyRequestsException' ? 'unavailable' : 'refused'
}
