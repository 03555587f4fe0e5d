/** Set-up of the client tests: clients with injected clocks and transport, and local servers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import type { Test } from 'tap'
import {
  createTokenClient,
  type TokenClient,
  type TokenClientError,
  type TokenClientOptions,
} from '../../src/tokens/client/index.ts'
import { mockTimeouts } from './timers.ts'

export const ENDPOINT = 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token'
export const SECRET = 's3cret+with%odd:signs and blanks'
/** Wall clock of the tests, milliseconds. */
export const START = 1_800_000_000_000

type Answer = (form: URLSearchParams, headers: Headers) => Response | Promise<Response>

/** A response with a token, in the form of Cognito's. */
export function tokenAnswer(accessToken: string, expiresIn: unknown = 3600): Response {
  return Response.json({ access_token: accessToken, expires_in: expiresIn, token_type: 'Bearer' })
}

export function refusal(error: string, status = 400): Response {
  const headers = { 'x-amz-cognito-request-id': 'c0ffee00-0000-4000-8000-000000000001' }
  return Response.json({ error }, { status, headers })
}

/** A client, its clocks, responses, requests and log. By default, tokens are `token-1`, `token-2` … */
export function setUpClient(options: Partial<TokenClientOptions> = {}) {
  const requests: { readonly form: URLSearchParams; readonly headers: Headers }[] = []
  const logged: { readonly details: Record<string, unknown>; readonly message: string }[] = []
  const log = (details: object, message: string): void => {
    logged.push({ details: details as Record<string, unknown>, message })
  }
  const world = {
    wall: START,
    monotonic: 0,
    answer: (() => tokenAnswer(`token-${requests.length}`)) as Answer,
    requests,
    logged,
    /** Advances both clocks. */
    pass(milliseconds: number): void {
      world.wall += milliseconds
      world.monotonic += milliseconds
    },
  }
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const form = new URLSearchParams(init?.body as URLSearchParams)
    const headers = new Headers(init?.headers)
    requests.push({ form, headers })
    return world.answer(form, headers)
  }
  const client = createTokenClient({
    tokenEndpoint: ENDPOINT,
    clientId: 'billing',
    clientSecret: SECRET,
    now: () => world.wall,
    monotonicNow: () => world.monotonic,
    logger: { info: log, warn: log, error: log },
    fetch,
    ...options,
  })
  return { client, world }
}

/** Waits until pending promises are settled. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Returns the error of a rejected call. */
export async function failureOf(called: Promise<unknown>): Promise<TokenClientError> {
  return called.then(
    () => {
      throw new Error('The call did not reject')
    },
    (error: unknown) => error as TokenClientError,
  )
}

/** Returns the error code of a rejected call. */
export async function codeOf(called: Promise<unknown>): Promise<string> {
  return (await failureOf(called)).code
}

/** Starts a server that is closed with the test. */
export async function serve(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Mocks `setTimeout`. @returns A function that advances it by milliseconds. */
export function timers(t: Test): (milliseconds: number) => Promise<void> {
  mockTimeouts()
  t.teardown(async () => {
    // Node loses other timers if a timer of another queue is cleared.
    await settle()
    mock.timers.reset()
  })
  return async (milliseconds) => {
    await settle()
    mock.timers.tick(milliseconds)
    await settle()
  }
}

/** Waits until a condition is true, up to the timeout of the test. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

export type { TokenClient }
