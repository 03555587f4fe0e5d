/** An Express API with a middleware by hand over aws-jwt-verify. */
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import express from 'express'
import { isAllowed } from '../policy.mjs'

export function createApp({ userPoolId, clientId, jwks }) {
  const verifier = CognitoJwtVerifier.create({
    userPoolId,
    tokenUse: 'access',
    clientId,
    customJwtCheck: ({ payload }) => {
      if (!isAllowed(payload.tier)) throw new Error('not allowed')
    },
  })
  verifier.cacheJwks(jwks)

  const requireScope = (scope) => async (req, res, next) => {
    try {
      const [, token] = (req.headers.authorization ?? '').split(' ')
      req.auth = await verifier.verify(token, { scope })
      next()
    } catch {
      res.status(401).json({ error: 'Unauthorized' })
    }
  }

  const app = express()
  const answer = (req, res) => res.json({ caller: req.auth.client_id })
  app.get('/orders', requireScope('orders/read'), answer)
  app.get('/reports', requireScope(['orders/read', 'reports/run']), answer)
  return app
}
