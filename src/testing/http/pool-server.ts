/** Request handler of a local pool: token endpoint, GetClientToken, JWKS, discovery, control endpoints and faults. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { listScopes } from '../clients.ts'
import type { KeyRing, SharedKeys } from '../key-ring.ts'
import { createAuthority, type PoolDefinition, type UserPoolAuthority } from '../test-user-pool.ts'
import { ClientSecrets } from './client-secrets.ts'
import { handleControlRequest } from './control.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import {
  applyFault,
  isJwksFault,
  JWKS_FAULTS,
  type JwksFault,
  type JwksHandler,
} from './jwks-faults.ts'
import { type LocalServer, readBody } from './local-server.ts'
import type { JsonResponse } from './token-endpoint.ts'
import { createFaultResponse, TOKEN_FAULTS, type TokenFault } from './token-faults.ts'
import { TokenService, type TokenServiceOptions } from './token-service.ts'

/** Options of a running pool. */
export interface PoolServerOptions extends TokenServiceOptions {
  /** Whether the control endpoints are served. */
  readonly control: boolean
  /** Whether pages from a loopback origin can read responses of the token endpoint. */
  readonly cors: boolean
  /** Shared with the other Region of the pool. */
  readonly keys: SharedKeys
  /** Called before a rotation with the new keys. An exception prevents the rotation. */
  readonly onRotation: (next: KeyRing) => void
}

/** The state of one running pool. The public object exposes part of it. */
export class PoolServer {
  readonly authority: UserPoolAuthority
  readonly server: LocalServer
  readonly tokens: TokenService
  readonly tokenEndpoint: string
  /** URL of the user pools API. */
  readonly apiEndpoint: string
  jwksRequests = 0
  #fault: JwksFault | JwksHandler | null = null
  #tokenFault: TokenFault | null = null
  #closed = false
  /** Serializes changes of the listener: a close must win over a recovery in progress. */
  #changes: Promise<void> = Promise.resolve()
  /** JWKS requests that a fault left without a response. */
  readonly #unanswered = new Set<ServerResponse>()
  /** Token requests that a fault left without a response. */
  readonly #unansweredTokens = new Set<ServerResponse>()
  #recoveryTimer: NodeJS.Timeout | undefined
  readonly #definition: PoolDefinition
  readonly #control: boolean
  readonly #cors: boolean

  constructor(
    definition: PoolDefinition,
    server: LocalServer,
    { control, cors, keys, onRotation, ...tokens }: PoolServerOptions,
  ) {
    const origin = `http://${server.authority}`
    this.#definition = definition
    this.#control = control
    this.#cors = cors
    this.server = server
    server.serve((request, response) => this.handle(request, response))
    this.tokenEndpoint = `${origin}/oauth2/token`
    this.apiEndpoint = origin
    const secrets = new ClientSecrets(definition.clients, tokens.now)
    this.authority = createAuthority(
      { ...definition, clients: secrets.clients },
      `${origin}/${definition.userPoolId}`,
      keys,
      onRotation,
    )
    this.tokens = new TokenService(this.authority, server, { ...tokens, secrets })
  }

  get jwksUri(): string {
    return `${this.authority.issuer}/.well-known/jwks.json`
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.server.isAddressedBy(request.headers.host)) {
      send(response, { status: 403, headers: {}, body: { error: 'Host is not this pool' } })
      return
    }
    const [path] = (request.url as string).split('?') as [string]
    const { pathname: jwksPath } = new URL(this.jwksUri)
    if (path === '/oauth2/token') await this.#handleToken(request, response)
    else if (path === '/' && request.method === 'POST') {
      const serve = (): Promise<JsonResponse> => this.tokens.handleApi(request)
      const apiResponse = await this.#serveTokens(response, 'userPoolsApi', serve)
      if (apiResponse !== undefined) send(response, apiResponse)
    } else if (path === jwksPath) this.#handleJwks(request, response)
    else if (path === jwksPath.replace('jwks.json', 'openid-configuration')) {
      sendGetResponse(request, response, this.#createDiscoveryDocument())
    } else if (this.#control && path.startsWith('/_local/')) {
      await this.#handleControl(request, response, path)
    } else send(response, { status: 404, headers: {}, body: { error: 'Not Found' } })
  }

  async setFault(fault: JwksFault | JwksHandler | null, seconds?: number): Promise<void> {
    if (fault !== null && typeof fault !== 'function' && !isJwksFault(fault)) {
      throw new OptionError(
        'fault',
        `expected null, a function or one of ${JWKS_FAULTS.join(', ')}, got ${describeValue(fault)}. Pass one of these.`,
      )
    }
    clearTimeout(this.#recoveryTimer)
    this.#fault = fault
    for (const response of this.#unanswered) response.destroy()
    if (seconds !== undefined && !this.#closed) this.#recoverAfter(seconds)
    await this.#applyListening()
  }

  async setTokenFault(fault: TokenFault | null): Promise<void> {
    if (fault !== null && !TOKEN_FAULTS.includes(fault)) {
      throw new OptionError(
        'fault',
        `expected null or one of ${TOKEN_FAULTS.join(', ')}, got ${describeValue(fault)}. Pass one of these.`,
      )
    }
    this.#tokenFault = fault
    for (const response of this.#unansweredTokens) response.destroy()
    await this.#applyListening()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#recoveryTimer)
    await this.#applyListening()
  }

  /**
   * Clears the fault after some seconds. The timer keeps the process alive, because no listener does while
   * connections are refused. If the port is no longer free, it retries every second.
   */
  #recoverAfter(seconds: number): void {
    this.#recoveryTimer = setTimeout(() => {
      this.setFault(null).catch(() => this.#recoverAfter(1))
    }, seconds * 1000)
  }

  #applyListening(): Promise<void> {
    const applied = this.#changes.then(() => {
      const isRefusing = this.#fault === 'refuse' || this.#tokenFault === 'refuse'
      return this.#closed || isRefusing ? this.server.stop() : this.server.listen()
    })
    this.#changes = Promise.allSettled([applied]).then(() => {})
    return applied
  }

  async #handleToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const preflightMethod = request.headers['access-control-request-method']
    if (this.#cors && preflightMethod !== undefined && request.method === 'OPTIONS') {
      send(response, { status: 204, headers: preflightHeaders(request), body: undefined })
      return
    }
    const serve = (): Promise<JsonResponse> => this.tokens.handle(request)
    const tokenResponse = await this.#serveTokens(response, 'tokenEndpoint', serve)
    if (tokenResponse === undefined) return
    const { headers } = tokenResponse
    const allHeaders = this.#cors ? { ...headers, ...corsHeaders(request) } : headers
    send(response, { ...tokenResponse, headers: allHeaders })
  }

  /** @returns Undefined if a fault leaves the request without a response. */
  async #serveTokens(
    response: ServerResponse,
    api: 'tokenEndpoint' | 'userPoolsApi',
    serve: () => Promise<JsonResponse>,
  ): Promise<JsonResponse | undefined> {
    if (this.#tokenFault === null) return serve()
    const failure = createFaultResponse(this.#tokenFault, api)
    if (failure === undefined) {
      this.#unansweredTokens.add(response)
      response.once('close', () => this.#unansweredTokens.delete(response))
    }
    return failure
  }

  #handleJwks(request: IncomingMessage, response: ServerResponse): void {
    this.jwksRequests += 1
    if (this.#fault === null) {
      sendGetResponse(request, response, this.authority.jwks())
      return
    }
    this.#unanswered.add(response)
    response.once('close', () => this.#unanswered.delete(response))
    applyFault(this.#fault, request, response, this.authority.jwks())
  }

  async #handleControl(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<void> {
    const { method = '', headers } = request
    const body = await readBody(request)
    const controlResponse = handleControlRequest(
      {
        rotateKeys: (options) => this.authority.rotateKeys(options),
        // After the response: a pool that refuses connections cannot send one.
        setJwksFault: (fault, seconds) =>
          response.once('close', () => void Promise.allSettled([this.setFault(fault, seconds)])),
      },
      { method, path, headers, body },
    )
    send(response, controlResponse)
  }

  #createDiscoveryDocument(): unknown {
    const { issuer } = this.authority
    const endpoint = (name: string): string => this.tokenEndpoint.replace('oauth2/token', name)
    return {
      authorization_endpoint: endpoint('oauth2/authorize'),
      end_session_endpoint: endpoint('logout'),
      id_token_signing_alg_values_supported: ['RS256'],
      issuer,
      jwks_uri: this.jwksUri,
      response_types_supported: ['code', 'token'],
      revocation_endpoint: endpoint('oauth2/revoke'),
      scopes_supported: [
        'openid',
        'email',
        'phone',
        'profile',
        ...listScopes(this.#definition.resourceServers),
      ],
      subject_types_supported: ['public'],
      token_endpoint: this.tokenEndpoint,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      userinfo_endpoint: endpoint('oauth2/userInfo'),
    }
  }
}

function sendGetResponse(request: IncomingMessage, response: ServerResponse, body: unknown): void {
  const isAllowed = request.method === 'GET' || request.method === 'HEAD'
  if (isAllowed) send(response, { status: 200, headers: {}, body })
  else
    send(response, {
      status: 405,
      headers: { allow: 'GET, HEAD' },
      body: { error: 'Method Not Allowed' },
    })
}

function send(response: ServerResponse, { status, headers, body }: JsonResponse): void {
  response.writeHead(
    status,
    body === undefined ? headers : { 'content-type': 'application/json', ...headers },
  )
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
