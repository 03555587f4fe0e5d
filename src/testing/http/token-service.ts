/** Handles token requests of a local pool by both APIs within its quota, and publishes and logs their results. */
import type { IncomingMessage } from 'node:http'
import {
  nextInstance,
  publish,
  secondsBetween,
  type TokenRequestEvent,
} from '../../core/diagnostics.ts'
import { safeClock } from '../../core/util/time.ts'
import type { UserPoolAuthority } from '../test-user-pool.ts'
import type { ClientSecrets } from './client-secrets.ts'
import { type ApiResponse, createException, handleApiRequest } from './client-token-api.ts'
import { type LocalServer, readBody } from './local-server.ts'
import { handleSecretOperation, isSecretOperation } from './secret-operations.ts'
import {
  createTokenError,
  handleTokenRequest,
  type JsonResponse,
  type TokenResponse,
} from './token-endpoint.ts'
import { TokenIssuer } from './token-issuer.ts'
import { type CloudTrailTokenEvent, createTokenEvent } from './token-log.ts'
import { TokenQuota } from './token-quota.ts'
import type { PreTokenGenerationTrigger } from './trigger.ts'

/** Size of the log. */
const MAX_EVENTS = 1000

/** Options of a local pool's token APIs. */
export interface TokenServiceOptions {
  /** Called before each token is signed. */
  readonly trigger: PreTokenGenerationTrigger | undefined
  /** Token requests per second. False for no limit. */
  readonly quota: number | false
  readonly onEvent: ((event: CloudTrailTokenEvent) => void) | undefined
  /** Milliseconds. */
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** The token endpoint and GetClientToken of one pool, with one quota. */
export class TokenService {
  readonly instance: number = nextInstance()
  readonly #pool: UserPoolAuthority
  readonly #issuer: TokenIssuer
  readonly #server: Pick<LocalServer, 'authority' | 'host'>
  readonly #options: TokenServiceOptions
  readonly #monotonicNow: () => number
  readonly #quota: TokenQuota | undefined
  readonly #secrets: ClientSecrets
  #events: readonly CloudTrailTokenEvent[] = []
  /** App clients that have got a token. */
  readonly #verifiedClients = new Set<string>()

  constructor(
    pool: UserPoolAuthority,
    server: Pick<LocalServer, 'authority' | 'host'>,
    { secrets, ...options }: TokenServiceOptions & { readonly secrets: ClientSecrets },
  ) {
    const { quota, monotonicNow, trigger } = options
    this.#pool = pool
    this.#issuer = new TokenIssuer(pool, trigger)
    this.#server = server
    this.#options = options
    this.#monotonicNow = safeClock(monotonicNow)
    this.#quota = quota === false ? undefined : new TokenQuota(quota, monotonicNow)
    this.#secrets = secrets
  }

  get events(): readonly CloudTrailTokenEvent[] {
    return this.#events
  }

  /** Handles a request to `/oauth2/token`. */
  async handle(request: IncomingMessage): Promise<JsonResponse> {
    const { method = '', headers } = request
    const startedAt = this.#monotonicNow()
    const body = await readBody(request)
    const response = this.#isWithinQuota()
      ? await handleTokenRequest(this.#issuer, {
          method,
          contentType: headers['content-type'],
          authorization: request.headersDistinct['authorization'] ?? [],
          body,
        })
      : createTokenError('TooManyRequestsException', 429)
    this.#publishEvent(response, secondsBetween(startedAt, this.#monotonicNow()))
    if (method === 'POST') this.#recordEvent(request, response)
    return response
  }

  /** Handles a request to the user pools API. CloudTrail has no event of GetClientToken, and neither has the log. */
  async handleApi(request: IncomingMessage): Promise<JsonResponse> {
    const { headers, headersDistinct } = request
    const startedAt = this.#monotonicNow()
    const body = await readBody(request)
    const apiRequest = {
      contentType: headers['content-type'],
      target: headersDistinct['x-amz-target']?.[0],
      body,
    }
    if (isSecretOperation(apiRequest)) {
      const { authorization } = headers
      const { userPoolId } = this.#pool
      return handleSecretOperation(this.#secrets, userPoolId, { ...apiRequest, authorization })
    }
    const response = this.#isWithinQuota()
      ? await handleApiRequest(this.#issuer, apiRequest)
      : createException('TooManyRequestsException', 'Rate exceeded')
    this.#publishEvent(response, secondsBetween(startedAt, this.#monotonicNow()))
    return response
  }

  #isWithinQuota(): boolean {
    return this.#quota?.tryConsume() ?? true
  }

  #publishEvent({ clientId, error }: TokenResponse | ApiResponse, duration: number): void {
    if (clientId !== null && error === null) this.#verifiedClients.add(clientId)
    const isVerified = clientId !== null && this.#verifiedClients.has(clientId)
    publish('cognito-m2m:token-request', () => ({
      instance: this.instance,
      userPoolId: isVerified ? this.#pool.userPoolId : null,
      clientId,
      outcome: getOutcome(error),
      error,
      code: null,
      duration,
    }))
  }

  #recordEvent({ headers }: IncomingMessage, response: TokenResponse): void {
    const { userPoolId } = this.#pool
    const { authority: userPoolDomain, host: sourceIPAddress } = this.#server
    const secrets = this.#secrets.values
    const pool = { userPoolId, userPoolDomain, sourceIPAddress, secrets }
    const event = createTokenEvent(
      { ...pool, now: this.#options.now },
      {
        status: response.status,
        form: response.form,
        clientId: response.clientId,
        requestId: response.headers['x-amz-cognito-request-id'] as string,
        userAgent: headers['user-agent'] ?? '',
      },
    )
    this.#events = [...this.#events.slice(1 - MAX_EVENTS), event]
    try {
      this.#options.onEvent?.(event)
    } catch {
      // A failing log must not reject a token request.
    }
  }
}

function getOutcome(error: string | null): TokenRequestEvent['outcome'] {
  if (error === null) return 'issued'
  return error === 'TooManyRequestsException' ? 'unavailable' : 'refused'
}
