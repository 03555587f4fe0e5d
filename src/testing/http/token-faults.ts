/** Faults of a local pool's token APIs, to rehearse the loss of a Region. */
import { INACTIVE_REGION } from '../../tokens/oauth/protocol.ts'
import { createException } from './client-token-api.ts'
import { createTokenError, type JsonResponse } from './token-endpoint.ts'

/**
 * A fault of `/oauth2/token` and GetClientToken in one Region:
 *
 * - `refuse`: the Region stops listening, with all other endpoints.
 * - `hang`: no response.
 * - `500`: an internal error.
 * - `inactive`: `OperationNotEnabledException`, as of a replica that was not activated.
 */
export type TokenFault = 'refuse' | 'hang' | '500' | 'inactive'

/** Names of all faults. */
export const TOKEN_FAULTS: readonly TokenFault[] = ['refuse', 'hang', '500', 'inactive']

/** @returns Undefined if the request gets no response. */
export function createFaultResponse(
  fault: TokenFault,
  api: 'tokenEndpoint' | 'userPoolsApi',
): JsonResponse | undefined {
  switch (fault) {
    case '500':
      return createFailure(api, 'InternalErrorException', 500)
    case 'inactive':
      return createFailure(api, INACTIVE_REGION, 400)
    // Only a connection from before the Region stopped listening can get here with `refuse`.
    default:
      return undefined
  }
}

/** AWS documents no body for failures of `/oauth2/token`. It has the name of the exception here. */
function createFailure(
  api: 'tokenEndpoint' | 'userPoolsApi',
  name: 'InternalErrorException' | typeof INACTIVE_REGION,
  status: number,
): JsonResponse {
  return api === 'tokenEndpoint'
    ? createTokenError(name, status)
    : createException(name, 'The local pool has a fault', { status })
}
