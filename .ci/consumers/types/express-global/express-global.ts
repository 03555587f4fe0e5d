/** The global types of Express requests. */

import { cognitoAuth } from 'cognito-m2m/express'
import express from 'express'
import 'cognito-m2m/express/global'

const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
express().get('/', auth(), (req, res) => void res.json(req.auth?.clientId))
// @ts-expect-error it may be missing
express().get('/', auth(), (req, res) => void res.json(req.auth.clientId))
