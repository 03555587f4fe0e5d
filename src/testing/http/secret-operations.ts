/** Handles the operations of Cognito's user pools API for client secrets: list, add, delete. */
import { AMZ_JSON } from '../../tokens/oauth/user-pools-api.ts'
import { generateSecret } from '../clients.ts'
import type { ClientSecret, ClientSecrets } from './client-secrets.ts'
import {
  type ApiRequest,
  createException,
  createHeaders,
  describeConstraint,
  parseInput,
} from './client-token-api.ts'
import type { JsonResponse } from './token-endpoint.ts'

const PREFIX = 'AWSCognitoIdentityProviderService.'

/** Header `x-amz-target` of each operation. */
const OPERATIONS: ReadonlyMap<string, (request: SecretRequest) => JsonResponse> = new Map([
  [`${PREFIX}ListUserPoolClientSecrets`, listSecrets],
  [`${PREFIX}AddUserPoolClientSecret`, addSecret],
  [`${PREFIX}DeleteUserPoolClientSecret`, deleteSecret],
])

/** Whether a request is one of these operations. They have no quota here. */
export function isSecretOperation({ target, contentType }: Omit<ApiRequest, 'body'>): boolean {
  return target !== undefined && OPERATIONS.has(target) && contentType === AMZ_JSON
}

/** A valid request for an app client of the pool. */
interface SecretRequest {
  readonly secrets: ClientSecrets
  readonly clientId: string
  readonly current: readonly ClientSecret[]
  readonly input: Readonly<Record<string, unknown>>
}

/** A request with its header Authorization. */
interface SignedRequest extends ApiRequest {
  readonly authorization: string | undefined
}

/** Handles a request for which {@link isSecretOperation} is true. The signature is required, but not verified. */
export function handleSecretOperation(
  secrets: ClientSecrets,
  userPoolId: string,
  { target, body, authorization = '' }: SignedRequest,
): JsonResponse {
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    return createException('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  const input = parseInput(body)
  if ('status' in input) return input
  const { UserPoolId, ClientId } = input.members
  if (typeof UserPoolId !== 'string') return createInvalid('UserPoolId', 'must not be null')
  if (typeof ClientId !== 'string') return createInvalid('ClientId', 'must not be null')
  if (UserPoolId !== userPoolId) return createNotFound(`User pool ${UserPoolId}`)
  const current = secrets.list(ClientId)
  if (current === undefined) return createNotFound(`User pool client ${ClientId}`)
  const operation = OPERATIONS.get(target as string) as (request: SecretRequest) => JsonResponse
  return operation({ secrets, clientId: ClientId, current, input: input.members })
}

function listSecrets({ current }: SecretRequest): JsonResponse {
  return createResult({ ClientSecrets: current.map(describeSecret) })
}

/** Cognito's limit of secrets for an app client. */
const MAX_SECRETS = 2

function addSecret({ secrets, clientId, current, input }: SecretRequest): JsonResponse {
  const { ClientSecret: given } = input
  if (given !== undefined && (typeof given !== 'string' || !/^[\w+]{24,64}$/.test(given))) {
    return createInvalid('ClientSecret', 'must satisfy regular expression pattern: [\\w+]{24,64}')
  }
  if (current.length === 0) {
    return createException('InvalidParameterException', 'The client is a public client.')
  }
  if (current.length >= MAX_SECRETS) {
    return createException('LimitExceededException', 'The client has the maximum of 2 secrets.')
  }
  if (current.some(({ value }) => value === given)) {
    return createException('InvalidParameterException', 'The client has this secret already.')
  }
  const added = secrets.add(clientId, given ?? generateSecret())
  // Cognito returns only a value that it has generated.
  const ClientSecretValue = given === undefined ? added.value : undefined
  return createResult({ ClientSecretDescriptor: { ...describeSecret(added), ClientSecretValue } })
}

function deleteSecret({ secrets, clientId, current, input }: SecretRequest): JsonResponse {
  const { ClientSecretId } = input
  if (typeof ClientSecretId !== 'string') return createInvalid('ClientSecretId', 'must not be null')
  if (!current.some(({ id }) => id === ClientSecretId)) {
    return createNotFound(`Client secret ${ClientSecretId}`)
  }
  if (current.length === 1) {
    return createException('InvalidParameterException', 'The last secret cannot be deleted.')
  }
  secrets.delete(clientId, ClientSecretId)
  return createResult({})
}

function describeSecret({ id, createdAt }: ClientSecret): object {
  return { ClientSecretId: id, ClientSecretCreateDate: createdAt }
}

function createResult(body: object): JsonResponse {
  return { status: 200, headers: createHeaders(), body }
}

function createInvalid(name: string, constraint: string): JsonResponse {
  return createException(
    'InvalidParameterException',
    describeConstraint(name, `Member ${constraint}`),
  )
}

function createNotFound(what: string): JsonResponse {
  return createException('ResourceNotFoundException', `${what} does not exist.`)
}
