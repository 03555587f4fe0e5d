/** What is measured without HTTP: each takes an Authorization line, and throws or rejects. */
import { createPublicKey } from 'node:crypto'
import { MANY, SCOPE } from '../settings.mjs'

function requireScope({ scope }) {
  if (!scope.split(' ').includes(SCOPE)) throw new Error('scope')
}

async function ours({ userPoolId, jwks }) {
  const { createResourceServer } = await import('../../../dist/index.js')
  return createResourceServer({ userPoolId, clientId: null, jwks }).guard({ scopes: SCOPE })
}

async function awsJwtVerify({ userPoolId, jwks }) {
  const { CognitoJwtVerifier } = await import('aws-jwt-verify')
  const verifier = CognitoJwtVerifier.create({
    userPoolId,
    tokenUse: 'access',
    clientId: null,
    scope: SCOPE,
  })
  verifier.cacheJwks(jwks)
  return (line) => verifier.verifySync(line.slice('Bearer '.length))
}

async function jose({ issuer, jwks }) {
  const { createLocalJWKSet, jwtVerify } = await import('jose')
  const keySet = createLocalJWKSet(jwks)
  const options = { issuer, algorithms: ['RS256'] }
  return async (line) => {
    const { payload } = await jwtVerify(line.slice('Bearer '.length), keySet, options)
    requireScope(payload)
  }
}

/** With the key given instead of found by `kid`: the fastest way it has. */
async function fastJwt({ issuer, jwks }) {
  const { createVerifier } = await import('fast-jwt')
  const key = createPublicKey({ key: jwks.keys[1], format: 'jwk' })
  const check = createVerifier({
    key: key.export({ type: 'spki', format: 'pem' }),
    algorithms: ['RS256'],
    allowedIss: issuer,
    // Greater than the default of 1,000, so that every token of a case fits.
    cache: 2 * MANY,
  })
  return (line) => requireScope(check(line.slice('Bearer '.length)))
}

export const subjects = {
  'cognito-m2m': ours,
  'aws-jwt-verify': awsJwtVerify,
  jose,
  'fast-jwt, cache': fastJwt,
}
