/** Each answer of an MCP server to the letter, on Express and on web-standard requests, over real sockets. */
import t from 'tap'
import { AUTH_ERRORS } from '../../../src/core/errors.ts'
import type { AccessRequirement, AuthErrorCode, CognitoAuthOptions } from '../../../src/index.ts'
import { answerOf, exchange } from '../../conformance/behavior/endpoint.ts'
import { otherPool } from '../../support/fastify.ts'
import {
  initialize,
  listen,
  METADATA,
  METADATA_URL,
  mcpOptions,
  mcpPool,
  OTHER,
  platforms,
  READ,
  RESOURCE,
  type Seen,
  WRITE,
} from '../../support/mcp.ts'

interface Row {
  readonly name: string
  readonly lines: readonly string[]
  readonly code: AuthErrorCode
  /** The parameters of the challenge that depend on the code. */
  readonly params?: string
  readonly options?: object
  readonly requirement?: object
}

const bearer = (token: string) => `Bearer ${token}`
const good = bearer(mcpPool.accessToken({ scopes: READ }))
const scope = `, scope="${READ}"`
const error = (name: string, code: AuthErrorCode) =>
  `, error="${name}", error_description="${AUTH_ERRORS[code].message}"`
const never = () => Promise.reject(new Error('secret'))

const rows: readonly Row[] = [
  { name: 'no token', lines: [], code: 'ERR_TOKEN_MISSING', params: scope },
  { name: 'another scheme', lines: ['Basic YTpi'], code: 'ERR_TOKEN_MISSING', params: scope },
  ...[
    ['a scheme without a token', 'Bearer'],
    ['more than a token', 'Bearer a b'],
    ['a good token and more', `${good} b`],
    ['two credentials', good, good],
  ].map(
    ([name = '', ...lines]): Row => ({
      name,
      lines,
      code: 'ERR_REQUEST_INVALID',
      params: error('invalid_request', 'ERR_REQUEST_INVALID'),
    }),
  ),
  ...(
    [
      ['no JWS', 'abc', 'ERR_TOKEN_INVALID'],
      ['another pool', otherPool.accessToken({ scopes: READ }), 'ERR_TOKEN_ISSUER'],
      ['a user', mcpPool.userAccessToken({ scopes: READ, resource: RESOURCE }), 'ERR_TOKEN_USE'],
      ['an ID token', mcpPool.idToken(), 'ERR_TOKEN_USE'],
      ['expired', mcpPool.accessToken({ scopes: READ, expiresIn: -60 }), 'ERR_TOKEN_EXPIRED'],
      ['another key', mcpPool.tampered.wrongKey({ scopes: READ }), 'ERR_TOKEN_SIGNATURE'],
      ['altered', mcpPool.tampered.altered({ scopes: READ }), 'ERR_TOKEN_SIGNATURE'],
    ] as const
  ).map(
    ([name, token, code]): Row => ({
      name,
      lines: [bearer(token)],
      code,
      params: `${error('invalid_token', code)}${scope}`,
    }),
  ),
  ...(
    [
      ['another scope', WRITE],
      ['the same scope of another MCP server', `${OTHER}/tools.read`],
      ['a scope that begins alike', `${READ}er`],
    ] as const
  ).map(
    ([name, scopes]): Row => ({
      name,
      lines: [bearer(mcpPool.accessToken({ scopes }))],
      code: 'ERR_SCOPE_INSUFFICIENT',
      params: `${error('insufficient_scope', 'ERR_SCOPE_INSUFFICIENT')}${scope}`,
    }),
  ),
  {
    name: 'a client that is not allowed',
    lines: [good],
    code: 'ERR_CLIENT_NOT_ALLOWED',
    options: { clientId: ['other'] },
  },
  {
    name: 'denied by the check',
    lines: [good],
    code: 'ERR_ACCESS_DENIED',
    requirement: { check: () => false },
  },
  {
    name: 'no keys',
    lines: [good],
    code: 'ERR_KEYS_UNAVAILABLE',
    options: { jwks: undefined, fetch: never },
  },
  {
    name: 'a lookup that rejects',
    lines: [good],
    code: 'ERR_CHECK_UNAVAILABLE',
    options: { clientId: never },
  },
]

function optionsOf({ options = {} }: Partial<Row>): CognitoAuthOptions {
  const given = Object.entries({ ...mcpOptions(), ...options }).filter(([, it]) => it !== undefined)
  return Object.fromEntries(given) as unknown as CognitoAuthOptions
}

for (const [platform, create] of platforms) {
  t.test(`${platform}: rejected requests`, async (t) => {
    for (const row of rows) {
      const seen: Seen = { authInfo: undefined }
      const requirement: AccessRequirement = { scopes: READ, ...row.requirement }
      const port = await listen(t, create(optionsOf(row), requirement, seen))
      const answer = answerOf(await exchange(port, initialize(...row.lines)), undefined)
      const { statusCode, error, message } = AUTH_ERRORS[row.code]
      const challenge = `Bearer realm="api"${row.params ?? ''}, resource_metadata="${METADATA_URL}"`
      t.strictSame(
        answer,
        {
          status: statusCode,
          code: row.code,
          headers: {
            'cache-control': 'no-store',
            'content-type': 'application/json; charset=utf-8',
            ...(statusCode === 503 ? { 'retry-after': '1' } : { 'www-authenticate': challenge }),
          },
          body: { statusCode, code: row.code, error, message },
          auth: undefined,
        },
        row.name,
      )
      t.equal(seen.authInfo, undefined)
    }
  })

  t.test(`${platform}: the metadata document is public`, async (t) => {
    const port = await listen(t, create(optionsOf({}), { scopes: [READ, WRITE] }, {} as Seen))
    const response = await fetch(`http://127.0.0.1:${port}${METADATA}`)
    t.equal(response.status, 200)
    t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    t.strictSame(await response.json(), {
      resource: RESOURCE,
      authorization_servers: mcpPool.issuers,
      scopes_supported: [READ, WRITE],
      bearer_methods_supported: ['header'],
    })
    const head = await fetch(`http://127.0.0.1:${port}${METADATA}`, { method: 'HEAD' })
    t.equal(head.status, 200)
    t.equal(await head.text(), '')
  })

  t.test(`${platform}: every method of the transport is guarded`, async (t) => {
    const port = await listen(t, create(optionsOf({}), { scopes: READ }, {} as Seen))
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const { status } = await fetch(`http://127.0.0.1:${port}/mcp`, { method })
      t.equal(status, 401, method)
    }
    const initialized = await exchange(port, initialize(good))
    t.match(initialized, /^HTTP\/1\.1 200 /)
    t.match(initialized, '"serverInfo":{"name":"test"')
  })
}
