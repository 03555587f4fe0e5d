/** The same API with cognito-m2m. */
import { anyOf } from 'cognito-m2m'
import { cognitoAuth } from 'cognito-m2m/express'
import express from 'express'
import { isAllowed } from '../policy.mjs'

export function createApp({ userPoolId, clientId, jwks }) {
  const auth = cognitoAuth({
    userPoolId,
    clientId,
    jwks, // offline; leave it out to fetch the keys
    check: ({ claims }) => isAllowed(claims.tier),
  })

  const app = express()
  const answer = (req, res) => res.json({ caller: req.auth.clientId })
  app.get('/orders', auth({ scopes: 'orders/read' }), answer)
  app.get('/reports', auth({ scopes: anyOf('orders/read', 'reports/run') }), answer)
  return app
}
