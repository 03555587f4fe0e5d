/** A good token sent anywhere but in Authorization: it must be as good as none. */
import { exchange } from '../behavior/endpoint.ts'
import { GOOD } from './hostile-case.ts'

/** Where the token stood, and what came back. */
export interface Elsewhere {
  readonly place: string
  readonly status: number
  readonly code: unknown
  readonly challenge: string | undefined
}

interface Request {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly type?: string
  readonly body?: string
}

/** What a refusal for a missing token looks like. */
export const NO_TOKEN: Omit<Elsewhere, 'place'> = {
  status: 401,
  code: 'ERR_TOKEN_MISSING',
  challenge: 'Bearer realm="api"',
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const MULTIPART = [
  ...['--x', 'Content-Disposition: form-data; name="access_token"', '', GOOD, '--x--', ''],
].join('\r\n')

const HEADERS = [
  ...[
    'X-Authorization',
    'Proxy-Authorization',
    'X-Forwarded-Authorization',
    'X-Original-Authorization',
  ],
  ...['X-Access-Token', 'X-Amz-Security-Token', 'X-Amzn-Remapped-Authorization', 'X-Api-Key'],
  ...['Authentication', 'Authorisation', 'Authorization2', 'X-Auth-Token', 'Access-Token', 'Token'],
  ...['HTTP_AUTHORIZATION', 'Authorization_', 'WWW-Authenticate', 'DPoP', 'Authorization-Info'],
]
const COOKIES = [
  'access_token',
  'token',
  'Authorization',
  'authorization',
  'Bearer',
  'jwt',
  '__Host-token',
]
const PARAMETERS = [
  'access_token',
  'token',
  'bearer_token',
  'authorization',
  'Authorization',
  'jwt',
]

function requests(): Readonly<Record<string, Request>> {
  const bearer = `Bearer ${GOOD}`
  const encoded = encodeURIComponent(bearer)
  const all: [string, Request][] = [
    ...HEADERS.flatMap((name): [string, Request][] => [
      [`${name} header`, { headers: [`${name}: ${bearer}`] }],
      [`${name} header, no scheme`, { headers: [`${name}: ${GOOD}`] }],
    ]),
    ...COOKIES.flatMap((name): [string, Request][] => [
      [`${name} cookie`, { headers: [`Cookie: ${name}=${GOOD}`] }],
      [`${name} cookie, with scheme`, { headers: [`Cookie: a=b; ${name}="${encoded}"`] }],
    ]),
    ...PARAMETERS.flatMap((name): [string, Request][] => [
      [`${name} in the query`, { target: `/r?${name}=${GOOD}` }],
      [`${name} in the query, with scheme`, { target: `/r?${name}=${encoded}` }],
      [`${name} in a form`, { type: FORM, body: `${name}=${GOOD}` }],
      [`${name} in JSON`, { type: JSON_TYPE, body: JSON.stringify({ [name]: GOOD }) }],
    ]),
    [
      'query and form',
      { target: `/r?access_token=${GOOD}`, type: FORM, body: `access_token=${GOOD}` },
    ],
    ['a form of a GET', { method: 'GET', type: FORM, body: `access_token=${GOOD}` }],
    [
      'headers in JSON',
      { type: JSON_TYPE, body: JSON.stringify({ headers: { authorization: bearer } }) },
    ],
    ['a list in the query', { target: `/r?headers[authorization]=${encoded}` }],
    ['a text body', { type: 'text/plain', body: bearer }],
    ['a JWT body', { type: 'application/jwt', body: GOOD }],
    ['a multipart form', { type: 'multipart/form-data; boundary=x', body: MULTIPART }],
    ['the fragment', { target: `/r#access_token=${GOOD}` }],
    ['user information', { target: `http://x:${GOOD}@api.example/r` }],
    ['Sec-WebSocket-Protocol', { headers: [`Sec-WebSocket-Protocol: bearer, ${GOOD}`] }],
    ['Referer', { headers: [`Referer: https://api.example/?access_token=${GOOD}`] }],
    ['User-Agent', { headers: [`User-Agent: ${bearer}`] }],
    ['Forwarded', { headers: [`Forwarded: for="${GOOD}"`] }],
    [
      'a trailer',
      {
        method: 'POST',
        headers: [
          'Transfer-Encoding: chunked',
          'Trailer: Authorization',
          '',
          '0',
          `Authorization: ${bearer}`,
        ],
      },
    ],
  ]
  return Object.fromEntries(all)
}

/**
 * Asks `/r` of a listening API, whatever it is built with.
 *
 * @param port Of an API that protects `/r` for GET and POST with the realm `api`.
 */
export async function tokensElsewhere(port: number): Promise<Elsewhere[]> {
  const answers: Elsewhere[] = []
  for (const [place, request] of Object.entries(requests())) {
    answers.push({ place, ...(await send(port, request)) })
  }
  return answers
}

async function send(port: number, { body, type, target = '/r', ...request }: Request) {
  const { method = body === undefined ? 'GET' : 'POST', headers = [] } = request
  const content =
    body === undefined
      ? []
      : [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`, '', body]
  const start = [`${method} ${target} HTTP/1.1`, 'Host: api.example', 'Connection: close']
  const raw = await exchange(port, [...start, ...headers, ...content])
  const [head = '', shown = ''] = raw.split(/\r\n\r\n(.*)/s)
  const [, challenge] = /^www-authenticate: (.*)$/im.exec(head) ?? []
  return { status: Number(raw.split(' ')[1]), code: codeIn(shown), challenge }
}

/** Undefined where the handler, or something that is no refusal, answered. */
function codeIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { code?: unknown } | null)?.code
  } catch {
    return undefined
  }
}
