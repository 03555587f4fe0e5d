/** Fake access tokens: opaque to the proxy, with everything in them that the harness judges by. */

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** @param facts `clientId`, `scope`, `issuedAt` and `expiresAt` (milliseconds of the shared clock). */
export function encodeToken(facts) {
  return `${encode({ alg: 'none' })}.${encode(facts)}.soak`
}

/** @returns Undefined for anything else. */
export function decodeToken(token) {
  try {
    const [, payload, signature] = token.split('.')
    return signature === 'soak' ? JSON.parse(Buffer.from(payload, 'base64url')) : undefined
  } catch {
    return undefined
  }
}
