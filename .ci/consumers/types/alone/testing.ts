/** The testing kit. */
import { createTestUserPool } from 'cognito-m2m/testing'
export const token: string = createTestUserPool().accessToken({ scopes: ['a/b'] })
