/** The core: a guard and its token. */
import { createResourceServer, type VerifiedToken } from 'cognito-m2m'

const guard = createResourceServer({ userPoolId: 'a', clientId: null }).guard({ scopes: 'a/b' })
export const token: VerifiedToken | Promise<VerifiedToken> = guard(undefined)
// @ts-expect-error clientId is required
createResourceServer({ userPoolId: 'a' })
