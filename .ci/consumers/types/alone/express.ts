/** The Express adapter is typed on Node: it compiles without Express. */

import type { IncomingMessage } from 'node:http'
import { cognitoAuth, getAuth } from 'cognito-m2m/express'

const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
auth({ scopes: 'a/b' })
export const caller = (request: IncomingMessage): string => getAuth(request).clientId
// @ts-expect-error declared by cognito-m2m/express/global alone
export type Global = Express.Request
