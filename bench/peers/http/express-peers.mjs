/**
 * Express routes, each protected as the peer's documentation says: the same route, the same scope,
 * 401 for what is no good token. `told` has the pool and where its keys are served.
 */
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { CognitoJwtVerifier as CognitoJwtVerifier4 } from 'aws-jwt-verify-4'
import { expressjwt } from 'express-jwt'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import jwksRsa from 'jwks-rsa'
import { cognitoAuth } from '../../../dist/adapters/express/index.js'
import { SCOPE } from '../settings.mjs'
import { createOneVerify } from './one-verify.mjs'

const handler = (_request, response) => response.json({ ok: true })
const bearer = (request) => request.headers.authorization?.slice('Bearer '.length) ?? ''

function refuse(response, status = 401) {
  response.status(status).json({ error: 'Unauthorized' })
}

/** By hand: the middleware every example of these libraries comes to. */
function protectWith(app, check) {
  app.use(async (request, response, next) => {
    try {
      request.user = await check(bearer(request))
    } catch {
      refuse(response)
      return
    }
    next()
  })
  app.get('/orders', handler)
}

function requireScope({ scope }) {
  if (!scope.split(' ').includes(SCOPE)) throw new Error('scope')
}

/** As both documentations ask for: Express's own handler would write each refusal to stderr. */
function answerErrors(app) {
  app.use((error, _request, response, _next) => {
    response.set(error.headers ?? {})
    refuse(response, error.status)
  })
}

function bare(app) {
  app.get('/orders', handler)
  app.get('/refused', (_request, response) => refuse(response))
}

function oneVerify(app, told) {
  const isGood = createOneVerify(told)
  app.use((request, response, next) => {
    if (isGood(request.headers.authorization)) next()
    else refuse(response)
  })
  app.get('/orders', handler)
}

function ours(app, { pool }) {
  const protect = cognitoAuth({ userPoolId: pool.userPoolId, clientId: null, jwks: pool.jwks })
  app.get('/orders', protect({ scopes: SCOPE }), handler)
}

/** The guard of nestjs-cognito calls this version of aws-jwt-verify for each request. */
const nestjsCognito = (app, told) => awsJwtVerify(app, told, CognitoJwtVerifier4)

function awsJwtVerify(app, { pool }, Verifier = CognitoJwtVerifier) {
  const verifier = Verifier.create({
    userPoolId: pool.userPoolId,
    tokenUse: 'access',
    clientId: null,
    scope: SCOPE,
  })
  verifier.cacheJwks(pool.jwks)
  protectWith(app, (token) => verifier.verify(token))
}

function jose(app, { pool, keys }) {
  const keySet = createRemoteJWKSet(new URL(keys.jwksUri))
  const options = { issuer: pool.issuer, algorithms: ['RS256'] }
  protectWith(app, async (token) => {
    const { payload } = await jwtVerify(token, keySet, options)
    requireScope(payload)
    return payload
  })
}

function oauth2JwtBearer(app, { pool, keys }) {
  app.use(
    auth({
      issuer: pool.issuer,
      jwksUri: keys.jwksUri,
      tokenSigningAlg: 'RS256',
      // It insists on an audience; tokens for client credentials have none.
      audience: 'none',
      validators: { aud: false },
    }),
  )
  app.get('/orders', requiredScopes(SCOPE), handler)
  answerErrors(app)
}

function expressJwt(app, { pool, keys }) {
  app.use(
    expressjwt({
      secret: jwksRsa.expressJwtSecret({
        cache: true,
        rateLimit: true,
        jwksRequestsPerMinute: 5,
        jwksUri: keys.jwksUri,
      }),
      issuer: pool.issuer,
      algorithms: ['RS256'],
    }),
  )
  app.get('/orders', (request, response) => {
    requireScope(request.auth)
    handler(request, response)
  })
  answerErrors(app)
}

/** By name; `packages` are those whose versions the table prints. */
export const expressPeers = {
  bare: { open: bare, packages: ['express'] },
  'one crypto.verify': { open: oneVerify, packages: [] },
  'cognito-m2m': { open: ours, packages: [] },
  'aws-jwt-verify by hand': {
    open: (app, told) => awsJwtVerify(app, told),
    packages: ['aws-jwt-verify'],
  },
  "nestjs-cognito's verifier": { open: nestjsCognito, packages: ['aws-jwt-verify-4'] },
  'jose by hand': { open: jose, packages: ['jose'] },
  'express-oauth2-jwt-bearer': {
    open: oauth2JwtBearer,
    packages: ['express-oauth2-jwt-bearer'],
  },
  'express-jwt, jwks-rsa': { open: expressJwt, packages: ['express-jwt', 'jwks-rsa'] },
}
