/** Which bodies can be sent a second time. */
import { isAnyArrayBuffer } from 'node:util/types'

/** Whether a body holds its bytes, or has to be read to know them: a stream is gone once it was sent. */
export function isResendable(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    ArrayBuffer.isView(body) ||
    isAnyArrayBuffer(body)
  )
}
