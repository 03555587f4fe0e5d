/** Converts errors of a rotation to exit codes and one-line messages without secrets. */
import { OptionError } from '../../../core/options/validate.ts'
import { TokenClientError } from '../../../tokens/client/index.ts'
import { RotationError, type RotationErrorCode } from '../../../tokens/rotate/index.ts'
import { CommandFailure, EXIT, type ExitCode } from '../../exit-codes.ts'

const FIXES: Partial<Readonly<Record<RotationErrorCode, string>>> = {
  ERR_ROTATION_TOKEN:
    ' Check where callers get tokens, then run again. The old secret is still valid.',
  ERR_ROTATION_STORE: ' Check name, Region and permissions of the store, then run again.',
  ERR_ROTATION_COGNITO: ' Check user pool, app client and permissions, then run again.',
}

/** Flags of options. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['userPoolId', '--user-pool-id'],
  ['clientId', '--client-id'],
  ['grace', '--grace'],
  ['tokenEndpoint', '--token-url'],
  ['userPoolsApi', '--region'],
  ['userPoolsApi.region', '--region'],
  ['secretId', '--store'],
  ['name', '--store'],
  ['kmsKeyId', '--kms-key-id'],
  ['field', '--secret-field'],
])

/** Converts a {@link RotationError}, and the option of an {@link OptionError} to its flag. Other errors pass through. */
export function toRotationFailure(error: unknown): unknown {
  if (error instanceof OptionError) {
    const { option, problem } = error
    return new OptionError(FLAGS.get(option) ?? option, problem)
  }
  if (!(error instanceof RotationError)) return error
  const { code, message } = error
  const fix = FIXES[code] ?? ''
  return new CommandFailure(getExitCode(error), `${message}${formatDetails(error)}.${fix}`)
}

/** Exceptions with status 400 that say nothing about the request. */
const THROTTLING = /Throttl|TooMany/

function getExitCode({ code, cause, exception, status }: RotationError): ExitCode {
  if (code === 'ERR_ROTATION_TOKEN') {
    const isRefused =
      cause instanceof TokenClientError && cause.code === 'ERR_TOKEN_REQUEST_REFUSED'
    return isRefused ? EXIT.refused : EXIT.unavailable
  }
  if (exception === undefined) return EXIT.refused
  const isRefused = status !== undefined && status < 500 && !THROTTLING.test(exception)
  return isRefused ? EXIT.refused : EXIT.unavailable
}

/** Facts for a search, or for AWS Support. */
function formatDetails({ cause, ...error }: RotationError): string {
  const facts = cause instanceof TokenClientError ? cause : error
  const { status, requestId } = facts
  const details = [
    status === undefined ? [] : `status ${status}`,
    requestId === undefined ? [] : `request ${requestId}`,
  ].flat()
  return details.length === 0 ? '' : ` (${details.join(', ')})`
}
