/** What may be told of an exchange over HTTP without quoting what the other end or the transport said. */

/** System error code of a failed `fetch`; messages and stacks of a transport quote addresses and bytes. */
export function readErrno(error: unknown): { readonly errno?: string } {
  const cause = (error as { cause?: { code?: unknown } } | null | undefined)?.cause
  const code = cause?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? { errno: code } : {}
}

/**
 * RFC 9110 section 10.2.3: seconds, or an HTTP date.
 *
 * @param now Wall clock, milliseconds.
 * @returns Seconds, not clamped.
 */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
