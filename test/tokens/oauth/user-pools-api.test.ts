/** GetClientToken on the wire: the request, and the conversion of each response to that of `/oauth2/token`. */
import t from 'tap'
import {
  createUserPoolsApi,
  isStringMap,
  parseClientMetadata,
} from '../../../src/tokens/oauth/user-pools-api.ts'

const URL_OF_API = 'https://cognito-idp.eu-west-1.amazonaws.com/'
const api = createUserPoolsApi(URL_OF_API)
const credentials = { clientId: 'billing', secret: 's3cret+%' }
const parameters = {
  credentials,
  authMethod: 'client_secret_basic',
  scopes: undefined,
  metadata: undefined,
} as const

t.test('the request has the target, the credentials and the members that are set', async (t) => {
  t.equal(api.url, URL_OF_API)
  const all = api.createRequest({
    ...parameters,
    scopes: ['a/b', 'a/c'],
    metadata: '{"tenant":"a&b"}',
  })
  t.strictSame(all, {
    method: 'POST',
    headers: {
      accept: 'application/x-amz-json-1.1',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
    },
    body: '{"ClientId":"billing","Secret":"s3cret+%","Scopes":["a/b","a/c"],"ClientMetadata":{"tenant":"a&b"}}',
  })
  for (const scopes of [undefined, []]) {
    const request = api.createRequest({ ...parameters, scopes })
    t.equal(request?.body, '{"ClientId":"billing","Secret":"s3cret+%"}', 'all scopes')
  }
})

t.test('metadata that is no map of strings cannot be sent', async (t) => {
  for (const metadata of ['{', '[]', 'null', '"a"', '7', '{"a":1}', '{"a":null}', '{"a":{}}', '']) {
    t.equal(api.createRequest({ ...parameters, metadata }), undefined, metadata)
    t.equal(parseClientMetadata(metadata), undefined, metadata)
  }
  t.equal(isStringMap(undefined), false)
  t.strictSame(parseClientMetadata('{"constructor":"a","":""}'), { constructor: 'a', '': '' })
})

function convert(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = api.toOAuthResponse({
    status,
    headers: new Headers(headers),
    body: Buffer.from(text),
    retryAfter: 7,
  })
  return { ...response, body: response.body.toString() }
}

t.test('a token', async (t) => {
  const result = { AccessToken: 'a.b.c', ExpiresIn: 3600, TokenType: 'Bearer' }
  const id = { 'x-amzn-requestid': 'id-1', 'x-amz-cognito-request-id': 'id-2' }
  t.strictSame(convert(200, { ClientAuthenticationResult: result }, id), {
    status: 200,
    body: '{"access_token":"a.b.c","expires_in":3600,"token_type":"Bearer"}',
    retryAfter: 7,
    requestId: 'id-1',
    exception: null,
  })
  for (const body of [{}, { ClientAuthenticationResult: null }, { access_token: 'a.b.c' }]) {
    t.equal(convert(200, body).body, '{}', 'nothing that could be taken for a token')
  }
  t.equal(convert(200, '<html>').body, '<html>')
  t.equal(convert(200, {}, { 'x-amz-cognito-request-id': 'id-2' }).requestId, 'id-2')
})

const exceptions: readonly (readonly [number, string, string, number, object])[] = [
  [400, 'NotAuthorizedException', 'Invalid client or secret', 400, { error: 'invalid_client' }],
  [400, 'ResourceNotFoundException', 'x does not exist.', 400, { error: 'invalid_client' }],
  [
    400,
    'InvalidParameterException',
    'ALLOW_CLIENT_TOKEN_AUTH flow not enabled for this client',
    400,
    { error: 'unauthorized_client' },
  ],
  [
    400,
    'NotAuthorizedException',
    'The client has no ALLOW_CLIENT_TOKEN_AUTH',
    400,
    { error: 'unauthorized_client' },
  ],
  [400, 'InvalidParameterException', 'Invalid scope requested.', 400, { error: 'invalid_scope' }],
  [400, 'InvalidParameterException', 'Scopes: too many', 400, { error: 'invalid_scope' }],
  [400, 'InvalidParameterException', 'telescoped', 400, { error: 'invalid_request' }],
  [400, 'InvalidParameterException', '', 400, { error: 'invalid_request' }],
  [400, 'UserLambdaValidationException', 'a scope failed', 400, { error: 'invalid_request' }],
  [400, 'InvalidLambdaResponseException', '', 400, { error: 'invalid_request' }],
  [400, 'UnexpectedLambdaException', 'ALLOW_CLIENT_TOKEN_AUTH', 400, { error: 'invalid_request' }],
  [400, 'UnknownOperationException', '', 400, { error: 'invalid_request' }],
  [400, 'SerializationException', '', 400, { error: 'invalid_request' }],
  [400, 'ForbiddenException', '', 403, {}],
  [400, 'TooManyRequestsException', 'Rate exceeded', 429, { error: 'TooManyRequestsException' }],
  [400, 'LimitExceededException', '', 429, { error: 'LimitExceededException' }],
  [400, 'ThrottlingException', '', 429, { error: 'ThrottlingException' }],
  [400, 'OperationNotEnabledException', '', 503, { error: 'OperationNotEnabledException' }],
  [500, 'InternalErrorException', '', 500, { error: 'InternalErrorException' }],
  [400, 'InternalErrorException', '', 500, { error: 'InternalErrorException' }],
  [502, 'ServiceUnavailable', '', 502, { error: 'ServiceUnavailable' }],
]

t.test('each exception becomes an error of the token endpoint', async (t) => {
  for (const [status, name, message, expected, body] of exceptions) {
    const spellings: readonly (readonly [object, Record<string, string>])[] = [
      [{ __type: name, message }, {}],
      [{ __type: `com.amazonaws.cognito#${name}`, Message: message }, {}],
      [{ message }, { 'x-amzn-errortype': `${name}:` }],
      [{ message }, { 'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/x/` }],
    ]
    for (const [content, headers] of spellings) {
      const result = convert(status, content, headers)
      t.equal(result.exception, name)
      t.equal(result.status, expected, name)
      t.strictSame(JSON.parse(result.body), body, `${name} ${message}`)
    }
  }
})

t.test('a response without an exception is left as it is', async (t) => {
  for (const [status, body] of [
    [403, '<html>'],
    [403, '{"message":"Forbidden"}'],
    [400, '{"__type":7}'],
    [400, '{"__type":"a b"}'],
    [400, '{"error":"invalid_client"}'],
    [503, ''],
    [202, '{"a":1}'],
  ] as const) {
    const result = convert(status, body)
    t.match(result, { status, body, exception: null })
  }
  t.match(convert(400, '{"__type":"NotAuthorizedException"}'), { body: /invalid_client/ })
  t.match(convert(400, 'x', { 'x-amzn-errortype': 'ForbiddenException' }), { status: 403 })
})
