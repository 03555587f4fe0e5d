/** One interface over every surface: the same request, and its response. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  type ResourceServer,
  type VerifiedToken,
} from '../../../src/index.ts'

/** What a caller sees, and what a handler got. */
export interface Answer {
  readonly status: number
  /** Of the refusal; undefined where the handler was reached. */
  readonly code: string | undefined
  /** Of the answer, names in lower case; only what the decision set. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON of a rejection; on Lambda, the result for API Gateway. */
  readonly body: unknown
  /** What the handler was given; undefined where it was not reached. */
  readonly auth: VerifiedToken | null | undefined
}

/** One API with one protected route. */
export interface Door {
  /** One request with none, one or several Authorization lines. */
  ask(authorization: string | readonly string[] | undefined): Promise<Answer>
  readonly server: ResourceServer
  /** Where it listens, if it does. */
  readonly port?: number
  close(): Promise<void>
}

export interface Surface {
  readonly name: string
  /** `http`: real sockets, which carry Latin-1 header values of at most 16 KiB. */
  readonly transport: 'direct' | 'http'
  /** What it hands over is one line, whatever came: API Gateway joins or picks. */
  readonly oneLine?: true
  /** `Headers` or a gateway joins header lines: a comma outside of quotes is a 400, as it may join two credentials. */
  readonly joinsLines?: true
  /** A requirement without scopes is rejected: it gets one that all tokens but those of hostile cases on scopes have. */
  readonly requiresScope?: true
  open(options: CognitoAuthOptions, requirement?: AccessRequirement): Promise<Door>
}

const DECIDED = ['www-authenticate', 'cache-control', 'retry-after', 'content-type']

export function refused(error: unknown): Answer {
  if (!(error instanceof AuthError)) throw error
  const { statusCode: status, code, headers } = error
  return { status, code, headers, body: error.toJSON(), auth: undefined }
}

export function admitted(auth: VerifiedToken | null): Answer {
  return { status: 200, code: undefined, headers: {}, body: undefined, auth }
}

/** One request, byte for byte; the answer is read until the server closes. */
export async function exchange(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // Latin-1 is what a header value is on the wire, and what Node reads it as.
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
  return text(socket)
}

/** The answer of a raw HTTP/1.1 exchange; `auth` is the handler's. */
export function answerOf(raw: string, auth: VerifiedToken | null | undefined): Answer {
  const [head = '', body = ''] = raw.split(/\r\n\r\n(.*)/s)
  const [first = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? []
    if (DECIDED.includes(name.toLowerCase())) headers[name.toLowerCase()] = value
  }
  const status = Number(first.split(' ')[1])
  if (status === 200) return { ...admitted(auth as VerifiedToken | null), auth }
  const json = JSON.parse(body) as { code?: string }
  return { status, code: json.code, headers, body: json, auth }
}

/** A door over a listening server, whose handler hands over what it was given. */
export function httpDoor(
  listening: { address(): unknown },
  server: ResourceServer,
  seen: { auth: VerifiedToken | null | undefined },
  close: () => Promise<void>,
): Door {
  const { port } = listening.address() as AddressInfo
  return {
    ask: async (authorization) => {
      seen.auth = undefined
      const values = authorization === undefined ? [] : [authorization].flat()
      const lines = values.map((value) => `Authorization: ${value}`)
      const raw = await exchange(port, [
        'GET /r HTTP/1.1',
        'Host: api.example',
        'Connection: close',
        ...lines,
      ])
      return answerOf(raw, seen.auth)
    },
    server,
    port,
    close,
  }
}
