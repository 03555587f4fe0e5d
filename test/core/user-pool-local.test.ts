import t, { type Test } from 'tap'
import { readUserPool } from '../../src/core/user-pool-options.ts'
import { OptionError } from '../../src/index.ts'
import { CLIENT, jwk, POOL } from './forge.ts'

const JWKS = { keys: [jwk()] }
const LOCAL = 'xx-local-1_AbCdEfGhI'

function read(options: object) {
  return readUserPool({ userPoolId: LOCAL, clientId: CLIENT, ...options }, 'userPools[0]')
}

function refused(options: object): OptionError {
  try {
    read(options)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

/** NODE_ENV is that of the test again at its end. */
function environment(t: Test, value: string): void {
  const before = process.env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = value
}

t.test('a local pool needs a loopback issuer or offline keys', async (t) => {
  environment(t, 'test')
  const here = { issuer: 'http://127.0.0.1:9229/p' }
  t.equal(read(here).local, true)
  t.equal(read({ jwks: JWKS }).local, true)
  t.ok(read({ issuer: 'https://localhost', jwksUri: 'http://[::1]/keys' }))
  for (const options of [
    {},
    { jwks: { initial: JWKS } },
    { issuer: 'https://id.example' },
    { issuer: ['http://localhost', 'https://id.example'] },
    { ...here, jwksUri: 'https://keys.example' },
    { issuer: 'https://id.example', jwksUri: 'http://localhost' },
  ]) {
    const error = refused(options)
    t.match(error, {
      option: 'userPools[0].userPoolId',
      message: /is a local pool: set its loopback issuer/,
    })
  }
  t.equal(read({ userPoolId: 'xx-local-2_A' }).local, false, 'fits the pattern, is not generated')
})

t.test('refuses a local pool under NODE_ENV=production, whatever else is set', async (t) => {
  environment(t, 'production')
  for (const options of [{ jwks: JWKS }, { issuer: 'http://localhost' }]) {
    const error = refused(options)
    t.equal(error.option, 'userPools[0].userPoolId')
    t.match(error.message, /never accepted under NODE_ENV=production: set a real user pool$/)
  }
  t.equal(read({ userPoolId: POOL }).local, false)
})
