/**
 * Reads events of GetClientToken, whose shape AWS does not document. It assumes that of other operations of the user
 * pools API: parameters in `requestParameters`, and `errorCode` after a failure.
 */
import { getMember, readName, readObject } from './members.ts'

/** What an event of GetClientToken has. */
interface ClientTokenEvent {
  readonly isIssued: boolean
  readonly userPoolId: string | null
  readonly clientId: string | null
  readonly resourceServers: undefined
}

export function readClientTokenEvent(event: object): ClientTokenEvent {
  const parameters = readObject(getMember(event, 'requestParameters'))
  const data = readObject(getMember(event, 'additionalEventData'))
  const errorCode = getMember(event, 'errorCode')
  return {
    isIssued: errorCode === undefined || errorCode === null || errorCode === '',
    userPoolId:
      readName(getMember(data, 'userPoolId')) ??
      readName(getMember(parameters, 'userPoolId')) ??
      null,
    clientId:
      readName(getMember(parameters, 'clientId')) ??
      readName(getMember(parameters, 'ClientId')) ??
      readName(getMember(data, 'clientId')) ??
      null,
    // CloudTrail hides most parameters of this API.
    resourceServers: undefined,
  }
}
