/** Reads token requests from CloudTrail events of `/oauth2/token`: `Token_POST`. */
import { listResourceServers } from '../history/clients.ts'
import { readClientTokenEvent } from './client-token-event.ts'
import { getMember, readName, readObject } from './members.ts'
import { parseEventTime } from './times.ts'

/** A token request of a machine. */
export interface TokenRequest {
  readonly kind: 'request'
  readonly api: 'oauth2' | 'client-token'
  /** Whether a token was issued, which Cognito bills. */
  readonly isIssued: boolean
  readonly eventId: string | undefined
  /** Epoch seconds. */
  readonly at: number
  readonly region: string | undefined
  readonly userPoolId: string | null
  readonly clientId: string | null
  /** Undefined if the request named no scopes. */
  readonly resourceServers: readonly string[] | undefined
}

/** An event without tokens of machines. */
export interface UnrelatedEvent {
  readonly kind: 'unrelated'
}

export interface MalformedEvent {
  readonly kind: 'malformed'
  readonly reason: string
}

export type ReadEvent = TokenRequest | UnrelatedEvent | MalformedEvent

/** Amazon's example has 200.0. Other tools convert numbers to text. */
const STATUS = /^[1-5]\d\d(?:\.0+)?$/
const REGION = /^[a-z0-9-]{1,32}$/

/** @param event A JSON object. Only the named members are read, so no source address is kept. */
export function readEvent(event: object): ReadEvent {
  const isCognito = getMember(event, 'eventSource') === 'cognito-idp.amazonaws.com'
  const name = isCognito ? getMember(event, 'eventName') : undefined
  if (name !== 'Token_POST' && name !== 'GetClientToken') return { kind: 'unrelated' }
  const at = parseEventTime(getMember(event, 'eventTime'))
  if (at === undefined) {
    return { kind: 'malformed', reason: 'eventTime: expected a time of ISO 8601 with a zone' }
  }
  const region = getMember(event, 'awsRegion')
  const common = {
    kind: 'request',
    eventId: readName(getMember(event, 'eventID')),
    at,
    region: typeof region === 'string' && REGION.test(region) ? region : undefined,
  } as const
  return name === 'Token_POST'
    ? readTokenPost(event, common)
    : { ...common, api: 'client-token', ...readClientTokenEvent(event) }
}

type CommonMembers = Pick<TokenRequest, 'kind' | 'eventId' | 'at' | 'region'>

function readTokenPost(event: object, common: CommonMembers): ReadEvent {
  const data = readObject(getMember(event, 'additionalEventData'))
  const parameters = readObject(getMember(data, 'requestParameters'))
  const [grant, clientId, scope] = ['grant_type', 'client_id', 'scope'].map((name) =>
    readParameter(parameters, name),
  )
  if (grant !== 'client_credentials') return { kind: 'unrelated' }
  const status = getMember(readObject(getMember(data, 'responseParameters')), 'status')
  if ((typeof status !== 'string' && typeof status !== 'number') || !STATUS.test(String(status))) {
    return {
      kind: 'malformed',
      reason: 'responseParameters.status: expected a status code of HTTP',
    }
  }
  const resourceServers = listResourceServers(scope?.split(' ') ?? [])
  return {
    ...common,
    api: 'oauth2',
    isIssued: Number(status) === 200,
    userPoolId: readName(getMember(data, 'userPoolId')) ?? null,
    clientId: readName(clientId) ?? null,
    resourceServers: resourceServers.length === 0 ? undefined : resourceServers,
  }
}

/** The first value: a parameter is a list. */
function readParameter(parameters: object, name: string): string | undefined {
  const values = getMember(parameters, name)
  const value: unknown = Array.isArray(values) ? values[0] : values
  return typeof value === 'string' ? value : undefined
}
