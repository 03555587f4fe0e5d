/** Requests to the token proxy, for the plugin and for the function. */
import { FORM } from './http.ts'
import { CLIENT, type TokenRequestOptions } from './proxy.ts'

export const basic = (text: string | Buffer): string =>
  `Basic ${Buffer.from(text).toString('base64')}`
const PAIR = `client_id=${CLIENT}&client_secret=x`
export const GRANT = 'grant_type=client_credentials'

/** Requests that the proxy rejects itself: name, request and `error`. */
export const REFUSED: readonly (readonly [string, TokenRequestOptions, string])[] = [
  ['a repeated parameter', { body: `${GRANT}&${PAIR}&scope=a&scope=a` }, 'invalid_request'],
  ['a repeated unknown one', { body: `${GRANT}&${PAIR}&x=1&x=2` }, 'invalid_request'],
  [
    'one repeated under an escape',
    { body: `${GRANT}&${PAIR}&client%5Fid=${CLIENT}` },
    'invalid_request',
  ],
  ['a broken escape', { body: `${GRANT}&${PAIR}&scope=%zz` }, 'invalid_request'],
  ['invalid UTF-8', { body: `${GRANT}&${PAIR}&scope=%ff` }, 'invalid_request'],
  ['a secret in both places', { method: 'basic', body: `${GRANT}&${PAIR}` }, 'invalid_request'],
  ['no grant', { body: PAIR }, 'invalid_request'],
  ['an empty grant', { body: `grant_type=&${PAIR}` }, 'invalid_request'],
  ['no body', { body: '' }, 'invalid_request'],
  [
    'another grant',
    { body: `grant_type=authorization_code&code=x&${PAIR}` },
    'unsupported_grant_type',
  ],
  [
    'a refresh token',
    { body: `grant_type=refresh_token&refresh_token=x&${PAIR}` },
    'unsupported_grant_type',
  ],
  ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}' }, 'invalid_request'],
  [
    'a form in Latin-1',
    { headers: { 'content-type': `${FORM}; charset=latin1` } },
    'invalid_request',
  ],
  ['a content type that is none', { headers: { 'content-type': 'no type' } }, 'invalid_request'],
  ['no client', { body: GRANT }, 'invalid_client'],
  ['no secret', { body: `${GRANT}&client_id=${CLIENT}` }, 'invalid_client'],
  ['an id that is nobody’s', { clientId: 'a b' }, 'invalid_client'],
  ['a bearer token', { headers: { authorization: 'Bearer abc' }, body: GRANT }, 'invalid_client'],
  [
    'a header without a colon',
    { headers: { authorization: basic('abc') }, body: GRANT },
    'invalid_client',
  ],
  [
    'a header with an id that is nobody’s',
    { headers: { authorization: basic('a b:c') }, body: GRANT },
    'invalid_client',
  ],
  [
    'a secret that is not UTF-8',
    { headers: { authorization: basic(Buffer.from('billing:\xff', 'latin1')) }, body: GRANT },
    'invalid_client',
  ],
  [
    'two Authorization lines',
    { headers: { authorization: [basic('a:b'), basic('a:b')] }, body: GRANT },
    'invalid_request',
  ],
  ['two ids', { method: 'basic', body: `${GRANT}&client_id=shipping` }, 'invalid_request'],
  ['a scope with a quote', { scope: 'a"b' }, 'invalid_scope'],
  ['a scope with a tab', { scope: 'a\tb' }, 'invalid_scope'],
]

/** Methods other than POST. */
export const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
