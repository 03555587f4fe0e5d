/** Formats token requests as AWS CloudTrail events, without secrets. */
import { randomUUID } from 'node:crypto'

/**
 * One token request in the shape of a `Token_POST` event of CloudTrail. Account ids are zeros.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/understanding-amazon-cognito-entries.html
 */
export interface CloudTrailTokenEvent {
  readonly eventVersion: '1.08'
  readonly userIdentity: { readonly accountId: string }
  /** UTC, whole seconds. */
  readonly eventTime: string
  readonly eventSource: 'cognito-idp.amazonaws.com'
  readonly eventName: 'Token_POST'
  readonly awsRegion: string
  readonly sourceIPAddress: string
  readonly userAgent: string
  readonly requestParameters: null
  readonly responseElements: null
  readonly additionalEventData: {
    readonly responseParameters: { readonly status: number }
    /** `grant_type`, `client_id` and `scope` of the request. Values of other parameters are hidden. */
    readonly requestParameters: Readonly<Record<string, readonly string[]>>
    readonly userPoolDomain: string
    readonly userPoolId: string
  }
  /** `x-amz-cognito-request-id` of the response. */
  readonly requestID: string
  readonly eventID: string
  readonly readOnly: false
  readonly eventType: 'AwsServiceEvent'
  readonly managementEvent: true
  readonly recipientAccountId: string
  readonly serviceEventDetails: { readonly serviceAccountId: string }
  readonly eventCategory: 'Management'
}

/** Facts of a request after its response. */
export interface LoggedRequest {
  readonly status: number
  readonly requestId: string
  readonly userAgent: string
  /** Empty if the body could not be parsed. */
  readonly form: ReadonlyMap<string, string>
  /** The authenticated app client. */
  readonly clientId: string | null
}

/** The pool that received the requests. */
export interface LoggedPool {
  readonly userPoolId: string
  readonly userPoolDomain: string
  /** Address of the pool: on loopback, callers have the same address. */
  readonly sourceIPAddress: string
  /** Secrets, which the log hides in every value. */
  readonly secrets: readonly string[]
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

const ACCOUNT = '000000000000'
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
/** CloudTrail's limit of a userAgent. */
const MAX_VALUE_LENGTH = 1024
const LOGGED_PARAMETERS = new Set(['grant_type', 'client_id', 'scope'])
/** Every other parameter of Cognito. The log omits unknown parameters: even their names may be secrets. */
const HIDDEN_PARAMETERS = new Set([
  'client_secret',
  'aws_client_metadata',
  'code',
  'code_verifier',
  'redirect_uri',
  'refresh_token',
])

export function createTokenEvent(pool: LoggedPool, request: LoggedRequest): CloudTrailTokenEvent {
  const { userPoolId, userPoolDomain, sourceIPAddress } = pool
  const redact = (text: string): string =>
    // A secret may be in the wrong parameter.
    pool.secrets.some((secret) => text.includes(secret)) ? HIDDEN : text.slice(0, MAX_VALUE_LENGTH)
  return Object.freeze({
    eventVersion: '1.08',
    userIdentity: { accountId: ACCOUNT },
    eventTime: `${new Date(pool.now()).toISOString().slice(0, 19)}Z`,
    eventSource: 'cognito-idp.amazonaws.com',
    eventName: 'Token_POST',
    awsRegion: userPoolId.slice(0, userPoolId.indexOf('_')),
    sourceIPAddress,
    userAgent: redact(request.userAgent),
    requestParameters: null,
    responseElements: null,
    additionalEventData: {
      responseParameters: { status: request.status },
      requestParameters: listParameters(request, redact),
      userPoolDomain,
      userPoolId,
    },
    requestID: request.requestId,
    eventID: randomUUID(),
    readOnly: false,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    serviceEventDetails: { serviceAccountId: ACCOUNT },
    eventCategory: 'Management',
  })
}

function listParameters(
  { form, clientId }: LoggedRequest,
  redact: (text: string) => string,
): Record<string, string[]> {
  const parameters = [...form].flatMap(([name, value]): [string, string[]][] => {
    if (LOGGED_PARAMETERS.has(name)) return [[name, [redact(value)]]]
    return HIDDEN_PARAMETERS.has(name) ? [[name, [HIDDEN]]] : []
  })
  // HTTP Basic sends the client ID in a header, not in the form.
  if (clientId !== null) parameters.push(['client_id', [clientId]])
  return Object.fromEntries(parameters)
}
