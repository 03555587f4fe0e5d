/**
 * Hono routes on @hono/node-server: the bare framework, one verification, and Hono's own middleware `jwk` with the
 * keys in memory. With `jwks_uri` it would fetch them for each request.
 */
import { jwk } from 'hono/jwk'
import { SCOPE } from '../settings.mjs'
import { createOneVerify } from './one-verify.mjs'

const handler = (context) => context.json({ ok: true })
const refuse = (context) => context.json({ error: 'Unauthorized' }, 401)

function bare(app) {
  app.get('/orders', handler)
  app.get('/refused', refuse)
}

function oneVerify(app, told) {
  const isGood = createOneVerify(told)
  app.get('/orders', (context) =>
    isGood(context.req.header('authorization')) ? handler(context) : refuse(context),
  )
}

function honoJwk(app, { pool }) {
  const options = { keys: pool.jwks.keys, alg: ['RS256'], verification: { iss: pool.issuer } }
  app.use('/orders', jwk(options))
  app.get('/orders', (context) => {
    const { scope } = context.get('jwtPayload')
    return scope.split(' ').includes(SCOPE) ? handler(context) : context.json({}, 403)
  })
}

/** By name; `packages` are those whose versions the table prints. */
export const honoPeers = {
  bare: { open: bare, packages: ['hono', '@hono/node-server'] },
  'one crypto.verify': { open: oneVerify, packages: [] },
  'hono/jwk': { open: honoJwk, packages: [] },
}
