/** An Express API with express-oauth2-jwt-bearer. */
import express from 'express'
import { auth, claimCheck, requiredScopes, scopeIncludesAny } from 'express-oauth2-jwt-bearer'
import { isAllowed } from '../policy.mjs'

export function createApp({ issuer, jwksUri, clientId }) {
  const app = express()
  app.use(
    auth({
      issuer,
      jwksUri,
      audience: 'unused', // the option is required, but machine tokens have no aud
      validators: { aud: false, client_id: (value) => value === clientId },
    }),
  )
  app.use(claimCheck(({ tier }) => isAllowed(tier)))

  const answer = (req, res) => res.json({ caller: req.auth.payload.client_id })
  app.get('/orders', requiredScopes('orders/read'), answer)
  app.get('/reports', scopeIncludesAny('orders/read reports/run'), answer)
  app.use((error, _req, res, _next) => {
    res
      .status(error.status ?? 500)
      .set(error.headers)
      .json({ error: error.code })
  })
  return app
}
