/** The Express adapter with the types of Express. */

import { cognitoAuth, getAuth } from 'cognito-m2m/express'
import express from 'express'

const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
express().get(
  '/:id',
  auth({ scopes: 'a/b' }),
  (req, res) => void res.json([req.params.id, getAuth(req).clientId]),
)
// @ts-expect-error declared by cognito-m2m/express/global alone
express().get('/', auth(), (req, res) => void res.json(req.auth))
