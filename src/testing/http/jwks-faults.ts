/** Faults of the local pool's JWKS endpoint, to rehearse an outage. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { PublishedKey } from '../key-material.ts'

/**
 * A fault of the JWKS endpoint:
 *
 * - `refuse`: the pool stops listening and refuses connections to all of its endpoints.
 * - `reset`: the connection is reset. `hang`: no response. `drip`: one byte every 100 ms, without end.
 * - `500`, `503` (with `Retry-After: 5`), `429`: error statuses. `redirect`: 302.
 * - `garbage`: 200 with HTML. `truncated`: the connection closes halfway through the body.
 * - `empty`: a set without keys. `weak`: the pool's kids with insecure keys (exponent 1).
 * - `huge`: the key set, padded to 50 MB. `bomb`: the same, compressed to 50 KB.
 */
export type JwksFault =
  | 'refuse'
  | 'reset'
  | 'hang'
  | 'drip'
  | '500'
  | '503'
  | '429'
  | 'redirect'
  | 'garbage'
  | 'truncated'
  | 'empty'
  | 'weak'
  | 'huge'
  | 'bomb'

/** A custom fault: handles requests in place of the JWKS endpoint. */
export type JwksHandler = (request: IncomingMessage, response: ServerResponse) => void

interface KeySet {
  readonly keys: readonly PublishedKey[]
}

type Fault = (response: ServerResponse, keySet: KeySet) => void

const JSON_TYPE = { 'content-type': 'application/json' }
const PADDING = ' '.repeat(64 * 1024)
/** Copies of the padding: 50 MB. */
const PADDING_COUNT = 800

const FAULTS: Readonly<Record<JwksFault, Fault>> = {
  // Only a connection from before the pool stopped listening can reach this.
  refuse: (response) => response.destroy(),
  reset: ({ socket }) => socket?.resetAndDestroy(),
  hang: () => {},
  drip: sendByteByByte,
  '500': createStatusFault(500),
  '503': createStatusFault(503, { 'retry-after': '5' }),
  '429': createStatusFault(429),
  redirect: createStatusFault(302, { location: '/' }),
  garbage: (response) => response.writeHead(200, JSON_TYPE).end('<html>garbage</html>'),
  truncated: sendTruncated,
  empty: (response) => sendJson(response, { keys: [] }),
  weak: (response, { keys }) =>
    sendJson(response, { keys: keys.map((key) => ({ ...key, e: 'AQ' })) }),
  huge: (response, keySet) => {
    response.writeHead(200, JSON_TYPE)
    pipeline(createPaddedStream(keySet), response, () => {})
  },
  bomb: (response, keySet) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' })
    pipeline(createPaddedStream(keySet), createGzip(), response, () => {})
  },
}

/** Names of all faults. */
export const JWKS_FAULTS = Object.keys(FAULTS) as readonly JwksFault[]

export function isJwksFault(value: unknown): value is JwksFault {
  return JWKS_FAULTS.includes(value as JwksFault)
}

/** @param keySet The response without the fault. */
export function applyFault(
  fault: JwksFault | JwksHandler,
  request: IncomingMessage,
  response: ServerResponse,
  keySet: KeySet,
): void {
  if (typeof fault === 'function') fault(request, response)
  else FAULTS[fault](response, keySet)
}

function createStatusFault(code: number, headers: Record<string, string> = {}): Fault {
  return (response) => response.writeHead(code, headers).end('The key set endpoint is failing')
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, JSON_TYPE).end(JSON.stringify(body))
}

function sendByteByByte(response: ServerResponse): void {
  response.writeHead(200, JSON_TYPE)
  const timer = setInterval(() => response.write(' '), 100)
  response.once('close', () => clearInterval(timer))
}

function sendTruncated(response: ServerResponse, keySet: KeySet): void {
  const body = JSON.stringify(keySet)
  response.writeHead(200, { ...JSON_TYPE, 'content-length': body.length })
  response.write(body.slice(0, body.length / 2), () => response.destroy())
}

/** A valid key set of 50 MB. */
function createPaddedStream(keySet: KeySet): Readable {
  return Readable.from(
    (function* () {
      for (let pad = 0; pad < PADDING_COUNT; pad += 1) yield PADDING
      yield JSON.stringify(keySet)
    })(),
    { objectMode: false },
  )
}
