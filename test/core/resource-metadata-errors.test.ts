/** What a metadata document may not be made of: refused at creation, by name and with the fix. */
import t from 'tap'
import { OptionError } from '../../src/index.ts'
import { label, serve } from '../support/forge.ts'

const resource = 'https://api.example.com'

function refused(resourceMetadata: unknown): OptionError {
  try {
    // An option that is undefined is left out by `serve`.
    serve({ resourceMetadata }).close()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error(`accepted ${label(resourceMetadata)}`)
}

/** The refusal of one member: its name and its fix, in one line that repeats no secret. */
function refuses(member: string, value: unknown, problem: RegExp, option = member): void {
  t.test(`${member} ${label(value)}`, async (t) => {
    const error = refused({ resource, [member]: value })
    t.match(error, { code: 'ERR_OPTION_INVALID', option: `resourceMetadata.${option}` })
    t.ok(
      error.message.startsWith(`cognito-m2m: resourceMetadata.${option}: expected `),
      error.message,
    )
    t.match(error.problem, problem)
    t.notMatch(error.message, /[\r\n]|secret/)
  })
}

const SECURE =
  /^expected an https URL, got ".*"\. Use https, or http for localhost, 127\.0\.0\.1 and \[::1\]\.$/
const NOT_SECURE = [
  '',
  'api.example.com',
  '/v1',
  '//api.example.com',
  'http://api.example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://127.0.0.2',
  'http://[::ffff:127.0.0.1]',
  'http://0.0.0.0',
  'http://user:secret@api.example.com',
  'http://localhost@api.example.com',
  'ftp://api.example.com',
  'ws://localhost',
  'javascript:alert(1)',
  'data:text/plain,x',
  'urn:example:api',
  'https://',
  'https://a b',
  ' https://api.example.com',
  'https://api.example.com\n',
  'https://api.exa\tmple.com',
  'https://api.example.com/\u00a0',
  'https://api.example.com:99999',
]
const UNDEFINED = /^expected a value, got undefined\. Set it or leave it out\.$/
const NO_CREDENTIALS =
  /^expected a URL without credentials or a fragment, got one with (credentials|a fragment)\. Remove \1\.$/
const HIDING = [
  'https://user@api.example.com',
  'https://user:secret@api.example.com',
  'https://:secret@api.example.com',
  'https://api.example.com/#v1',
  'https://api.example.com#secret',
  'http://user:secret@localhost',
]

for (const value of [undefined, null, 5, true, [resource], new URL(resource), () => resource]) {
  const problem =
    value === undefined
      ? UNDEFINED
      : /^expected the URL that callers use for the API, got .+\. Pass an absolute URL\.$/
  refuses('resource', value, problem)
}
for (const value of NOT_SECURE) refuses('resource', value, SECURE)
for (const value of HIDING) refuses('resource', value, NO_CREDENTIALS)
for (const end of [
  '/?',
  '?',
  '/v1?a=b',
  '/v1/:id',
  '/v1/*',
  '/(v1)',
  '/a+b',
  '/%41',
  '/%2e%2fx',
  '/é',
  '/a,b',
  '/a;b',
  '/a=b',
  '/a@b',
  "/'",
  '/{a}',
  '/a|b',
]) {
  refuses(
    'resource',
    `${resource}${end}`,
    /^expected a URL without a query, whose path has only .+, got one with other characters\. Remove/,
  )
}
/** Spellings that URL knows by another one: callers compare to the letter. */
const spellings: [string, string][] = [
  ['https://api.example.com:443', 'https://api.example.com/'],
  ['https://API.example.com', 'https://api.example.com/'],
  ['HTTPS://api.example.com', 'https://api.example.com/'],
  ['https:api.example.com', 'https://api.example.com/'],
  ['https:///api.example.com', 'https://api.example.com/'],
  ['https:\\\\api.example.com', 'https://api.example.com/'],
  ['https://api.example.com\\v1', 'https://api.example.com/v1'],
  ['https://@api.example.com', 'https://api.example.com/'],
  ['https://api.example.com/a/../b', 'https://api.example.com/b'],
  ['https://api.example.com/./v1', 'https://api.example.com/v1'],
  ['https://api.example.com/a/%2e%2e/b', 'https://api.example.com/b'],
  ['https://bücher.example', 'https://xn--bcher-kva.example/'],
  ['https://0x7f.1', 'https://127.0.0.1/'],
  ['http://127.1:80', 'http://127.0.0.1/'],
  ['http://[0:0::1]', 'http://[::1]/'],
  ['http://LOCALHOST', 'http://localhost/'],
]
for (const [value, normalized] of spellings) {
  refuses(
    'resource',
    value,
    new RegExp(
      `^expected "${normalized.replace(/[.[\]]/g, '\\$&')}", got ".+"\\. Write the normalized URL: callers`,
    ),
  )
}

const INVALID_ISSUER =
  /^expected (the issuer as a non-empty string without spaces|an https URL), got .+\. (Pass the exact issuer|Use https, or http for .*)\.$/
const servers = 'authorizationServers'
for (const value of [null, 5, {}, '', 'https://a b', new URL(resource)]) {
  refuses(servers, value, INVALID_ISSUER)
}
refuses(servers, undefined, UNDEFINED)
refuses(servers, [], /^expected at least one issuer, got an empty array\. Add one\.$/)
refuses(servers, [resource, null], INVALID_ISSUER, `${servers}[1]`)
refuses(servers, new Array(1), INVALID_ISSUER, `${servers}[0]`)
for (const value of [
  'http://auth.example.com',
  'auth.example.com',
  'http://user:secret@a.example',
]) {
  refuses(servers, value, SECURE)
  refuses(servers, [resource, value], SECURE)
}
for (const value of HIDING) refuses(servers, value, NO_CREDENTIALS)

const NO_ARRAY =
  /^expected an array of scopes or false, got .+\. Pass an array, or false to omit the scopes\.$/
for (const value of [null, true, 'a/x', 5, {}, new Set(['a/x'])]) refuses('scopes', value, NO_ARRAY)
refuses('scopes', undefined, UNDEFINED)
refuses(
  'scopes',
  ['a/x', 'read'],
  /^expected a scope as "identifier\/name", got ".*"\. Write, for example, "orders\/read"\.$/,
  'scopes[1]',
)
refuses(
  'scopes',
  ['a/x a/y'],
  /^expected one scope without spaces, got ".*"\. Pass several as an array\.$/,
  'scopes[0]',
)
refuses(
  'scopes',
  [''],
  /^expected a scope as "identifier\/name", got ".*"\. Write, for example, "orders\/read"\.$/,
  'scopes[0]',
)
for (const value of [null, undefined, 5, true, {}, ['a/x'], { anyOf: ['a/x'] }]) {
  refuses(
    'scopes',
    [value],
    /^expected 1 to 256 printable characters .+, got .+\. Change the identifier\.$/,
    'scopes[0].identifier',
  )
}
refuses(
  'scopes',
  [{ identifier: 'a', scopes: {} }],
  /^expected 1 to 100 scopes, got 0\. Define 1 to 100 scopes/,
  'scopes[0].scopes',
)

for (const member of ['name', 'documentation']) {
  for (const value of [null, '', 5, true, {}, ['Orders']]) {
    refuses(
      member,
      value,
      /^expected a non-empty string, got .+\. Pass a text or omit the option\.$/,
    )
  }
  refuses(member, undefined, UNDEFINED)
}
for (const value of NOT_SECURE.slice(1)) refuses('documentation', value, SECURE)

t.test('rejects values that are not plain objects, and unknown members', async (t) => {
  for (const value of [null, false, true, resource, 5, [resource], () => ({ resource })]) {
    t.match(refused(value), {
      option: 'resourceMetadata',
      message: /: expected a plain object, got .+\. Pass an object literal\.$/,
    })
  }
  t.match(refused({}), {
    option: 'resourceMetadata.resource',
    message:
      /: expected the URL that callers use for the API, got undefined\. Pass an absolute URL\.$/,
  })
  for (const member of [
    'Resource',
    'authorization_servers',
    'issuer',
    'resource_name',
    'jwks_uri',
  ]) {
    t.match(refused({ resource, [member]: resource }), {
      option: `resourceMetadata.${member}`,
      message:
        /: expected one of resource, authorizationServers, scopes, name, documentation, got an unknown name\. Rename or remove it\.$/,
    })
  }
})

t.test('reads each member once', async (t) => {
  let reads = 0
  const server = serve({
    resourceMetadata: {
      get resource() {
        reads += 1
        return reads === 1 ? resource : 'http://evil.example'
      },
    },
  })
  t.equal(server.resourceMetadata()?.resource, resource)
  t.equal(reads, 1)
})
