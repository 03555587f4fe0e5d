/**
 * Controls a local pool over HTTP: faults and key rotation. Web pages of other sites must not reach these
 * endpoints. They accept JSON only, which a form cannot send, and reject requests with browser headers.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { OptionError } from '../../core/options/validate.ts'
import { isJwksFault, JWKS_FAULTS, type JwksFault } from './jwks-faults.ts'
import type { JsonResponse } from './token-endpoint.ts'

/** Longest time in seconds until a pool clears a fault. */
const MAX_FAULT_SECONDS = 300

/** The operations that the endpoints call. */
export interface PoolControls {
  rotateKeys(options: { readonly keepOld: boolean }): void
  /** @param seconds Time until the pool clears the fault. Undefined keeps it. */
  setJwksFault(fault: JwksFault | null, seconds?: number): void
}

/** A request to a control endpoint, with its body. */
export interface ControlRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer | undefined
}

/** Handles one request below `/_local/`. */
export function handleControlRequest(pool: PoolControls, request: ControlRequest): JsonResponse {
  const { headers, method, path } = request
  const site = headers['sec-fetch-site'] ?? 'none'
  if (headers.origin !== undefined || (site !== 'none' && site !== 'same-origin')) {
    return createErrorResponse(403, 'requests of web pages are refused')
  }
  if (headers['content-type'] !== 'application/json') {
    return createErrorResponse(415, 'send application/json')
  }
  const input = parseObject(request.body)
  if (input === undefined) return createErrorResponse(400, 'send a JSON object')
  if (method === 'PUT' && path === '/_local/jwks-fault') return setFault(pool, input)
  if (method === 'POST' && path === '/_local/rotation') return rotateKeys(pool, input)
  return createErrorResponse(404, 'use PUT /_local/jwks-fault or POST /_local/rotation')
}

function setFault(pool: PoolControls, input: Record<string, unknown>): JsonResponse {
  const { fault, seconds, ...rest } = input
  if (fault !== null && !isJwksFault(fault)) {
    return createErrorResponse(400, `fault: use null or one of ${JWKS_FAULTS.join(', ')}`)
  }
  const isInRange = typeof seconds === 'number' && seconds > 0 && seconds <= MAX_FAULT_SECONDS
  if (!isInRange && (seconds !== undefined || fault === 'refuse')) {
    return createErrorResponse(
      400,
      `seconds: use a number up to ${MAX_FAULT_SECONDS}; refuse needs one`,
    )
  }
  if (Object.keys(rest).length > 0) return createErrorResponse(400, 'use fault and seconds only')
  pool.setJwksFault(fault, seconds as number | undefined)
  return noContent()
}

function rotateKeys(pool: PoolControls, input: Record<string, unknown>): JsonResponse {
  const { keepOld, ...rest } = input
  if (typeof keepOld !== 'boolean' || Object.keys(rest).length > 0) {
    return createErrorResponse(400, 'send {"keepOld": true} or {"keepOld": false}')
  }
  try {
    pool.rotateKeys({ keepOld })
  } catch (error) {
    // The state file could not be written, and the keys are unchanged.
    return createErrorResponse(500, (error as OptionError).message)
  }
  return noContent()
}

function parseObject(body: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString() ?? '')
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function noContent(): JsonResponse {
  return { status: 204, headers: {}, body: undefined }
}

function createErrorResponse(status: number, message: string): JsonResponse {
  return { status, headers: {}, body: { error: message } }
}
