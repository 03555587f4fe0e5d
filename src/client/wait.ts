/** Waiting that ends early when the client is closed. */
import { TokenClientError } from './errors.ts'

/** @throws {TokenClientError} `ERR_CLIENT_CLOSED`, as a rejection. */
export function waitOpen(milliseconds: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(new TokenClientError('ERR_CLIENT_CLOSED'))
    }
    const timer = setTimeout(() => {
      closed.removeEventListener('abort', end)
      resolve()
    }, milliseconds)
    if (closed.aborted) end()
    else closed.addEventListener('abort', end, { once: true })
  })
}
