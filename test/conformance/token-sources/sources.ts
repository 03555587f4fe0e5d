/**
 * Each way to get a token of a user pool: the client, the proxy, the command line and the pool itself, over both token
 * APIs. Each returns the claims of the token, or the error in the words of RFC 6749 section 5.2.
 */
import fastify from 'fastify'
import type { Test } from 'tap'
import {
  type LocalUserPool,
  type LocalUserPoolOptions,
  startUserPool,
} from '../../../src/testing/index.ts'
import { createTokenClient, type TokenClientError } from '../../../src/tokens/client/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { ask, decode, FORM } from '../../support/http.ts'
import { run } from '../../support/run-cli.ts'

export interface SourceRequest {
  readonly clientId: string
  readonly secret: string
  readonly scopes?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
}

export interface SourceResult {
  /** Claims that do not depend on the time. Undefined for an error. */
  readonly claims: Readonly<Record<string, unknown>> | undefined
  /** `error`, or undefined for a token. */
  readonly error: string | undefined
}

type Source = (request: SourceRequest) => Promise<SourceResult>

export const APIS = ['tokenEndpoint', 'userPoolsApi'] as const
export type Api = (typeof APIS)[number]

const TIMES = new Set(['auth_time', 'exp', 'iat', 'jti'])

function toResult(token: string): SourceResult {
  const claims = Object.entries(decode(token, 1)).filter(([name]) => !TIMES.has(name))
  return { claims: Object.fromEntries(claims), error: undefined }
}

/** The option that selects the API. */
export function apiOption(pool: LocalUserPool, api: Api) {
  const { tokenEndpoint, userPoolsApi } = pool
  return api === 'tokenEndpoint' ? { tokenEndpoint } : { userPoolsApi }
}

function createForm({ clientId, secret, scopes, metadata }: SourceRequest): string {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
  })
  if (scopes !== undefined) form.set('scope', scopes.join(' '))
  if (metadata !== undefined) form.set('aws_client_metadata', JSON.stringify(metadata))
  return form.toString()
}

async function postForm(port: number, request: SourceRequest): Promise<SourceResult> {
  const { json } = await ask(port, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': FORM },
    body: createForm(request),
  })
  if (typeof json['access_token'] === 'string') return toResult(json['access_token'])
  return { claims: undefined, error: String(json['error']) }
}

/** The client maps exceptions. */
function callClient(pool: LocalUserPool, api: Api): Source {
  return async ({ clientId, secret, scopes, metadata }) => {
    const client = createTokenClient({
      ...apiOption(pool, api),
      clientId,
      clientSecret: secret,
      ...(scopes === undefined ? {} : { scopes: scopes as readonly `${string}/${string}`[] }),
      ...(metadata === undefined ? {} : { clientMetadata: metadata }),
    })
    try {
      return toResult((await client.getToken()).accessToken)
    } catch (error) {
      return { claims: undefined, error: (error as TokenClientError).error }
    } finally {
      client.close()
    }
  }
}

async function callProxy(t: Test, pool: LocalUserPool, api: Api): Promise<Source> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenProxy, apiOption(pool, api))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { readonly port: number }
  return (request) => postForm(port, request)
}

/** The command line sends no client metadata. */
function callCommand(pool: LocalUserPool, api: Api): Source {
  const endpoint =
    api === 'tokenEndpoint'
      ? ['--token-url', pool.tokenEndpoint]
      : ['--endpoint-url', pool.userPoolsApi.endpoint]
  return async ({ clientId, secret, scopes = [] }) => {
    const flags = scopes.flatMap((scope) => ['--scope', scope])
    const args = ['token', ...endpoint, '--client-id', clientId, ...flags]
    const { fetch } = globalThis
    const { code, out, err } = await run(args, { env: { COGNITO_CLIENT_SECRET: secret }, fetch })
    if (code === 0) return toResult(out.trim())
    return { claims: undefined, error: /\): ([a-z_]+): /.exec(err)?.[1] }
  }
}

/** The pool itself, without a library: exceptions are those of AWS. */
function callPool(pool: LocalUserPool, api: Api): Source {
  if (api === 'tokenEndpoint') return (request) => postForm(pool.port, request)
  return async ({ clientId, secret, scopes, metadata }) => {
    const { json } = await ask(pool.port, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
      },
      body: JSON.stringify({
        ClientId: clientId,
        Secret: secret,
        Scopes: scopes,
        ClientMetadata: metadata,
      }),
    })
    const result = json['ClientAuthenticationResult'] as { AccessToken: string } | undefined
    if (result !== undefined) return toResult(result.AccessToken)
    return { claims: undefined, error: String(json['__type']) }
  }
}

/** Starts a pool with a trigger and all sources of one API. */
export async function startSources(t: Test, api: Api, options: LocalUserPoolOptions) {
  const pool = await startUserPool(options)
  t.teardown(() => pool.close())
  const sources: Readonly<Record<string, Source>> = {
    client: callClient(pool, api),
    proxy: await callProxy(t, pool, api),
    'command line': callCommand(pool, api),
    pool: callPool(pool, api),
  }
  return { pool, sources }
}
