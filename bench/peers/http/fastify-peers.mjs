/**
 * Fastify routes, each protected as the peer's documentation says: the same route, the same scope,
 * 401 for what is no good token. `told` has the pool and where its keys are served.
 */
import fastifyJwt from '@fastify/jwt'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import fastifyJwtJwks from 'fastify-jwt-jwks'
import buildGetJwks from 'get-jwks'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { cognitoAuth } from '../../../dist/adapters/fastify/index.js'
import { MANY, SCOPE } from '../settings.mjs'
import { createOneVerify } from './one-verify.mjs'

/** Greater than the default of 1,000, so that the caches of peers hold every load's tokens. */
const CACHE = 2 * MANY

const BODY = { ok: true }
const handler = async () => BODY
const bearer = (request) => request.headers.authorization?.slice('Bearer '.length) ?? ''

function unauthorized() {
  return Object.assign(new Error('Unauthorized'), { statusCode: 401 })
}

/** By hand: the hook every example of these libraries comes to. */
function protectWith(app, check) {
  app.decorateRequest('user', null)
  app.addHook('onRequest', async (request) => {
    try {
      request.user = await check(bearer(request))
    } catch {
      throw unauthorized()
    }
  })
  app.get('/orders', handler)
}

function requireScope({ scope }) {
  if (!scope.split(' ').includes(SCOPE)) throw new Error('scope')
}

/** Behind plugins that leave scopes to the route. */
async function scopedHandler(request) {
  requireScope(request.user)
  return BODY
}

async function bare(app) {
  app.get('/orders', handler)
  app.get('/refused', async (_request, reply) => reply.code(401).send({ error: 'Unauthorized' }))
}

async function oneVerify(app, told) {
  const isGood = createOneVerify(told)
  app.addHook('onRequest', async (request) => {
    if (!isGood(request.headers.authorization)) throw unauthorized()
  })
  app.get('/orders', handler)
}

async function ours(app, { pool }) {
  await app.register(cognitoAuth, {
    userPoolId: pool.userPoolId,
    clientId: null,
    jwks: pool.jwks,
  })
  app.get('/orders', { config: { auth: { scopes: SCOPE } } }, handler)
}

async function awsJwtVerify(app, { pool }) {
  const verifier = CognitoJwtVerifier.create({
    userPoolId: pool.userPoolId,
    tokenUse: 'access',
    clientId: null,
    scope: SCOPE,
  })
  verifier.cacheJwks(pool.jwks)
  protectWith(app, (token) => verifier.verify(token))
}

async function jose(app, { pool, keys }) {
  const keySet = createRemoteJWKSet(new URL(keys.jwksUri))
  const options = { issuer: pool.issuer, algorithms: ['RS256'] }
  protectWith(app, async (token) => {
    const { payload } = await jwtVerify(token, keySet, options)
    requireScope(payload)
    return payload
  })
}

async function fastJwt(app, { pool, keys }) {
  const { domain } = keys
  const getJwks = buildGetJwks({ issuersWhitelist: [domain] })
  const check = createVerifier({
    key: ({ header }) => getJwks.getPublicKey({ kid: header.kid, alg: header.alg, domain }),
    algorithms: ['RS256'],
    allowedIss: pool.issuer,
    cache: CACHE,
  })
  protectWith(app, async (token) => {
    const payload = await check(token)
    requireScope(payload)
    return payload
  })
}

function jwtJwks(extra) {
  return async (app, { pool, keys }) => {
    await app.register(fastifyJwtJwks, { jwksUrl: keys.jwksUri, issuer: pool.issuer, ...extra })
    app.get('/orders', { preValidation: app.authenticate }, scopedHandler)
  }
}

function jwtGetJwks(extra) {
  return async (app, { pool, keys }) => {
    const { domain } = keys
    const getJwks = buildGetJwks({ issuersWhitelist: [domain] })
    await app.register(fastifyJwt, {
      decode: { complete: true },
      secret: (_request, { header }) =>
        getJwks.getPublicKey({ kid: header.kid, alg: header.alg, domain }),
      verify: { algorithms: ['RS256'], allowedIss: pool.issuer, ...extra },
    })
    app.addHook('onRequest', async (request) => {
      await request.jwtVerify()
    })
    app.get('/orders', scopedHandler)
  }
}

/** By name; `packages` are those whose versions the table prints. */
export const fastifyPeers = {
  bare: { open: bare, packages: ['fastify'] },
  'one crypto.verify': { open: oneVerify, packages: [] },
  'cognito-m2m': { open: ours, packages: [] },
  'aws-jwt-verify by hand': { open: awsJwtVerify, packages: ['aws-jwt-verify'] },
  'jose by hand': { open: jose, packages: ['jose'] },
  'fast-jwt by hand, cache': { open: fastJwt, packages: ['fast-jwt', 'get-jwks'] },
  'fastify-jwt-jwks': { open: jwtJwks({}), packages: ['fastify-jwt-jwks'] },
  'fastify-jwt-jwks, cache': { open: jwtJwks({ cache: CACHE }), packages: ['fastify-jwt-jwks'] },
  '@fastify/jwt': { open: jwtGetJwks({}), packages: ['@fastify/jwt', 'get-jwks'] },
  '@fastify/jwt, cache': {
    open: jwtGetJwks({ cache: CACHE }),
    packages: ['@fastify/jwt', 'get-jwks'],
  },
}
