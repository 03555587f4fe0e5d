/** Writes down token requests as AWS CloudTrail does for Cognito, and never a secret. */
import { randomUUID } from 'node:crypto'

/**
 * One token request in the shape of CloudTrail's `Token_POST` events; see "Example Amazon Cognito
 * events" in the Cognito developer guide. Account ids are zeros.
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
    /** `grant_type`, `client_id` and `scope` as they were sent; others are named and hidden. */
    readonly requestParameters: Readonly<Record<string, readonly string[]>>
    readonly userPoolDomain: string
    readonly userPoolId: string
  }
  /** `x-amz-cognito-request-id` of the answer. */
  readonly requestID: string
  readonly eventID: string
  readonly readOnly: false
  readonly eventType: 'AwsServiceEvent'
  readonly managementEvent: true
  readonly recipientAccountId: string
  readonly serviceEventDetails: { readonly serviceAccountId: string }
  readonly eventCategory: 'Management'
}

/** What is known of a request once it is answered. */
export interface LoggedRequest {
  readonly status: number
  readonly requestId: string
  readonly userAgent: string
  /** Empty where it could not be read. */
  readonly form: ReadonlyMap<string, string>
  /** The app client, once its secret was right. */
  readonly clientId: string | null
}

/** Whose requests. */
export interface LoggedPool {
  readonly userPoolId: string
  readonly userPoolDomain: string
  /** The pool binds to loopback, so callers have its own address. */
  readonly sourceIPAddress: string
  /** What must stand nowhere. */
  readonly secrets: readonly string[]
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

const ACCOUNT = '000000000000'
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
/** As CloudTrail cuts a userAgent. */
const MAX_VALUE_LENGTH = 1024
const LOGGED_PARAMETERS = new Set(['grant_type', 'client_id', 'scope'])
/** Every other parameter Cognito knows; what nobody knows may be a secret in its very name. */
const HIDDEN_PARAMETERS = new Set([
  ...['client_secret', 'aws_client_metadata', 'code', 'code_verifier', 'redirect_uri'],
  ...['refresh_token'],
])

export function createTokenEvent(pool: LoggedPool, request: LoggedRequest): CloudTrailTokenEvent {
  const { userPoolId, userPoolDomain, sourceIPAddress } = pool
  const shown = (text: string): string =>
    // A secret in the wrong place is one all the same.
    pool.secrets.some((secret) => text.includes(secret)) ? HIDDEN : text.slice(0, MAX_VALUE_LENGTH)
  return Object.freeze({
    eventVersion: '1.08',
    userIdentity: { accountId: ACCOUNT },
    eventTime: `${new Date(pool.now()).toISOString().slice(0, 19)}Z`,
    eventSource: 'cognito-idp.amazonaws.com',
    eventName: 'Token_POST',
    awsRegion: userPoolId.slice(0, userPoolId.indexOf('_')),
    sourceIPAddress,
    userAgent: shown(request.userAgent),
    requestParameters: null,
    responseElements: null,
    additionalEventData: {
      responseParameters: { status: request.status },
      requestParameters: listParameters(request, shown),
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
  shown: (text: string) => string,
): Record<string, string[]> {
  const sent = [...form].flatMap(([name, value]): [string, string[]][] => {
    if (LOGGED_PARAMETERS.has(name)) return [[name, [shown(value)]]]
    return HIDDEN_PARAMETERS.has(name) ? [[name, [HIDDEN]]] : []
  })
  // Who came with a header is known as well as who came with a form.
  return { ...Object.fromEntries(sent), ...(clientId === null ? {} : { client_id: [clientId] }) }
}
