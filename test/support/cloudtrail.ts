/** Events in the shape of CloudTrail, generated: AWS did not write them. */
import { randomUUID } from 'node:crypto'

/** What a test changes in an event. */
export interface EventParts {
  readonly eventId?: string | null
  /** Epoch seconds. */
  readonly at?: number
  readonly region?: string
  readonly userPoolId?: string | undefined
  /** null for a request without the parameter. */
  readonly clientId?: string | null
  readonly scope?: string
  readonly grant?: string
  readonly status?: unknown
}

export const EVENT_POOL = 'eu-west-1_AbCdEfGhI'
export const EVENT_TIME: number = Date.parse('2026-03-10T12:00:00Z') / 1000

/** A `Token_POST` event with all members that CloudTrail writes. */
export function tokenEvent(parts: EventParts = {}): Record<string, unknown> {
  const {
    eventId = randomUUID(),
    at = EVENT_TIME,
    region = 'eu-west-1',
    clientId = '5kek0i61pgkokoob4fsm9fo9it',
    grant = 'client_credentials',
    status = 200,
    scope,
  } = parts
  return {
    eventVersion: '1.08',
    userIdentity: { accountId: '123456789012' },
    eventTime: `${new Date(at * 1000).toISOString().slice(0, 19)}Z`,
    eventSource: 'cognito-idp.amazonaws.com',
    eventName: 'Token_POST',
    awsRegion: region,
    sourceIPAddress: '192.0.2.44',
    userAgent: 'axios/1.7.2',
    errorCode: '',
    errorMessage: '',
    requestParameters: null,
    responseElements: null,
    additionalEventData: {
      responseParameters: { status },
      requestParameters: {
        grant_type: [grant],
        ...(clientId !== null && { client_id: [clientId] }),
        ...(scope !== undefined && { scope: [scope] }),
      },
      userPoolDomain: 'shop.auth.eu-west-1.amazoncognito.com',
      userPoolId: 'userPoolId' in parts ? parts.userPoolId : EVENT_POOL,
    },
    requestID: randomUUID(),
    ...(eventId !== null && { eventID: eventId }),
    readOnly: false,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: '123456789012',
    serviceEventDetails: { serviceAccountId: '210987654321' },
    eventCategory: 'Management',
  }
}
