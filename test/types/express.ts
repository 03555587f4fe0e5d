/** The Express middleware as apps use it, with Express's own types: compiled, never run. */
import express from 'express'
import {
  type CognitoAuthOptions,
  cognitoAuth,
  getAuth,
  type Middleware,
} from '../../src/adapters/express/index.ts'
import type { VerifiedToken } from '../../src/index.ts'
import { anyOf } from '../../src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

export function routes(): express.Express {
  const app = express()
  const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null, errors: 'next' })
  same<ReturnType<typeof auth>, Middleware>(true)
  same<ReturnType<typeof auth.metadata>, Middleware>(true)

  app.use(auth.metadata())
  app.use(auth())
  app.use('/api', auth({ scopes: anyOf('a/b', 'a/c') }))
  app.get('/orders/:id', auth({ scopes: ['a/b', 'a/c'], clientId: 'x' }), (req, res) => {
    same<ReturnType<typeof getAuth>, VerifiedToken | null>(true)
    const { clientId } = getAuth(req)
    same<typeof clientId, string>(true)
    const id: string | string[] | undefined = req.params['id']
    res.json({ clientId, id })
  })
  app.get('/maybe', auth({ optional: true }), (req, res) => {
    const token = getAuth(req, { optional: true })
    same<typeof token, VerifiedToken | null>(true)
    res.json(token)
  })
  app.get('/async', auth({ check: async (token) => token.scopes.size > 1 }), async (req, res) => {
    res.json(getAuth(req).clientId)
  })
  // @ts-expect-error the name is scopes
  app.get('/slip', auth({ scope: 'a/b' }))
  // @ts-expect-error a requirement is an object
  app.get('/string', auth('a/b'))
  // @ts-expect-error open is no requirement: leave the guard out
  app.get('/open', auth(false))
  return app
}

const options: CognitoAuthOptions = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }
cognitoAuth(options)
// @ts-expect-error clientId has to be said
cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI' })
// @ts-expect-error neither
cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null, errors: 'throw' })
