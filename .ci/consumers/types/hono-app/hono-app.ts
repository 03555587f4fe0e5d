/** The Hono adapter with the types of Hono: the variable has the type that the requirement implies. */
import { cognitoAuth, getAuth } from 'cognito-m2m/hono'
import { Hono } from 'hono'

const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
const app = new Hono()
app.get('/:id', auth({ scopes: 'a/b' }), (c) =>
  c.json([c.req.param('id'), c.var.auth.clientId, c.get('auth').scopes.size, getAuth(c).clientId]),
)
app.get('/optional', auth({ optional: true }), (c) => c.json(c.var.auth?.clientId ?? null))
// @ts-expect-error null for a request without a token
app.get('/optional', auth({ optional: true }), (c) => c.json(c.var.auth.clientId))
// @ts-expect-error a requirement has no member `scope`
auth({ scope: 'a/b' })
