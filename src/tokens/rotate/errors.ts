/** `RotationError`: the error codes of a rotation and their messages. */
import { StacklessError } from '../../core/errors.ts'
import type { TokenClientError } from '../client/index.ts'
import type { RotationStep } from './types.ts'

const messages = {
  ERR_ROTATION_CONFLICT: 'Another rotation of the client secret is active',
  ERR_ROTATION_SECRETS: 'The secrets of the app client do not match the store. Nothing was deleted',
  ERR_ROTATION_TOKEN: 'No token was issued for the client secret',
  ERR_ROTATION_STORE: 'The store of the client secret failed',
  ERR_ROTATION_COGNITO: 'Cognito failed',
} as const

/** Every code a {@link RotationError} can have. */
export type RotationErrorCode = keyof typeof messages

/** Facts of a failure. They contain no secret. */
export interface RotationFacts {
  /** Cause or fix as a sentence without its period. */
  readonly detail?: string | undefined
  /** The step that failed. */
  readonly step?: RotationStep | undefined
  /** Name of the error that the store or Cognito returned. */
  readonly exception?: string | undefined
  /** HTTP status of the response. */
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  /** Only a {@link TokenClientError}: errors of an SDK may quote their input. */
  readonly cause?: TokenClientError | undefined
}

/**
 * Thrown when a rotation stops. A later run resumes it. It contains no secret and no stack.
 *
 * @see docs/errors.md for the cause of each code and what to do.
 */
export class RotationError extends StacklessError {
  override readonly name = 'RotationError'
  /** Stable across releases; the message is not. */
  readonly code: RotationErrorCode
  /** The step that failed. Undefined before the first step. */
  readonly step: RotationStep | undefined
  /** Name of the error of the store or of Cognito, for example `AccessDeniedException`. */
  readonly exception: string | undefined
  /** HTTP status of the response of the store or of Cognito. */
  readonly status: number | undefined
  /** Request ID for AWS Support. */
  readonly requestId: string | undefined

  constructor(code: RotationErrorCode, facts: RotationFacts = {}) {
    const { detail, step, exception, status, requestId, cause } = facts
    const text = [messages[code], detail].filter((it) => it !== undefined).join('. ')
    super(text, cause === undefined ? undefined : { cause })
    this.code = code
    this.step = step
    this.exception = exception
    this.status = status
    this.requestId = requestId
    this.dropStack()
  }
}

/** Name of an error class of AWS. Anything else might quote a value. */
const ERROR_NAME = /^[A-Z][A-Za-z]{1,63}$/
/** System error codes of Node, for example ECONNREFUSED. */
const ERRNO = /^E[A-Z]{2,30}$/

/**
 * Reads name, status and request ID of an error of an SDK. The message is dropped: AWS quotes invalid values in it.
 */
export function readFacts(error: unknown): RotationFacts {
  const { name, code, $metadata } = Object(error) as Readonly<Record<string, unknown>>
  const { httpStatusCode, requestId } = Object($metadata) as Readonly<Record<string, unknown>>
  const candidates = [ERRNO.test(String(code)) ? code : name, 'Error']
  const exception = candidates.find((it) => typeof it === 'string' && ERROR_NAME.test(it)) as string
  return {
    exception,
    status: typeof httpStatusCode === 'number' ? httpStatusCode : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    detail: `It returned ${exception}`,
  }
}
