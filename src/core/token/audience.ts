/** For which API a token was issued: the claim `aud` and the option `audience`. */
import type { AuthErrorCode } from '../errors.ts'
import { readStrings } from '../options/validate.ts'
import type { JsonObject, JsonValue } from './strict-json.ts'

/** Undefined: the server's default. Null: users' tokens are bound to no API. */
export function readAudience(
  value: unknown,
  place: string,
): ReadonlySet<string> | null | undefined {
  return value === undefined || value === null
    ? value
    : new Set(readStrings(value, place, 'audience'))
}

/** RFC 7519 section 4.1.3: a string, or an array of strings. */
export function isAudience(value: JsonValue): boolean {
  return [value].flat().every((it) => typeof it === 'string')
}

/**
 * Compares `aud` as exact strings. Resource binding (RFC 8707) does not apply to client credentials,
 * so a machine's token has no audience but its own client. A user's token may be bound to an API:
 * then it is accepted only by that API.
 *
 * @param claims Types are checked.
 * @param audience This API's identifiers; undefined where users' tokens are bound to none.
 */
export function checkAudience(
  claims: JsonObject,
  audience: ReadonlySet<string> | undefined,
): AuthErrorCode | undefined {
  const { aud, client_id } = claims
  const values = (aud === undefined ? [] : [aud].flat()) as readonly string[]
  if (audience !== undefined && !isMachine(claims)) {
    const isForThisApi = values.some((it) => it !== client_id && audience.has(it))
    return isForThisApi ? undefined : 'ERR_TOKEN_AUDIENCE'
  }
  const isForClient = values.length > 0 && values.every((it) => it === client_id)
  return aud === undefined || isForClient ? undefined : 'ERR_TOKEN_AUDIENCE'
}

/** Client credentials: the app client is its own subject, and there is no user. */
export function isMachine(claims: JsonObject): boolean {
  return claims['sub'] === claims['client_id'] && !('username' in claims)
}
