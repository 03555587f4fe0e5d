/** The Koa adapter with the types of Koa: `ctx.state.auth` has the type that the requirement implies. */
import { cognitoAuth, getAuth } from 'cognito-m2m/koa'
import Koa from 'koa'

const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
const app = new Koa()
app.use(auth({ scopes: 'a/b' })).use((ctx) => {
  const clientId: string = ctx.state.auth.clientId
  ctx.body = [clientId, getAuth(ctx).clientId]
})
app.use(auth({ optional: true })).use((ctx) => {
  ctx.body = ctx.state.auth?.clientId ?? null
})
// @ts-expect-error a requirement has no member `scope`
auth({ scope: 'a/b' })
