/** Reads the Authorization header of a web-standard `Request`. */
import { splitJoinedLines } from '../joined-lines.ts'

/** `Headers` has joined several lines of the header. */
export function readAuthorization(headers: Headers): string | readonly string[] | undefined {
  const value = headers.get('authorization')
  return value === null ? undefined : splitJoinedLines(value)
}
