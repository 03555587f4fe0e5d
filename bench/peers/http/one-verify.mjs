/** The least that a protected route can do with a new token: check its signature with an imported key. */
import { createPublicKey, verify } from 'node:crypto'

/** @returns A function of the Authorization header: whether the signature of its token is good. */
export function createOneVerify({ pool }) {
  const key = createPublicKey({ key: pool.jwks.keys[1], format: 'jwk' })
  return (authorization = '') => {
    const token = authorization.slice('Bearer '.length)
    const end = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(end + 1), 'base64url')
    return verify('sha256', Buffer.from(token.slice(0, end)), key, signature)
  }
}
