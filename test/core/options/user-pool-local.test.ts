import t, { type Test } from 'tap'
import { readUserPool } from '../../../src/core/options/user-pool.ts'
import { OptionError } from '../../../src/index.ts'
import { CLIENT, jwk, POOL } from '../../support/forge.ts'

const JWKS = { keys: [jwk()] }
const LOCAL = 'xx-local-1_AbCdEfGhI'
const CODE = 'ERR_OPTION_INVALID'

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
      message:
        /: expected a user pool in AWS, got a local one .*\. Set its loopback issuer, or pass its keys/,
    })
  }
  const other = { userPoolId: 'xx-local-2_A', issuer: 'https://id.example' }
  t.equal(read(other).local, false, 'of another Region, so not generated')
})

t.test('rejects a local pool under NODE_ENV=production', async (t) => {
  environment(t, 'production')
  for (const options of [{ jwks: JWKS }, { issuer: 'http://localhost' }]) {
    const error = refused(options)
    t.equal(error.option, 'userPools[0].userPoolId')
    t.match(
      error.message,
      /: expected a user pool in AWS under NODE_ENV=production, got a local one\. Set the id of/,
    )
  }
  t.equal(read({ userPoolId: POOL }).local, false)
})

/** Spellings that a server may take for the ID of a local pool. */
const SPELLINGS = [
  'xx-local-1_AbCdEfGhI',
  'XX-LOCAL-1_AbCdEfGhI',
  'Xx-Local-1_AbCdEfGhI',
  'xx%2Dlocal%2D1%5FAbCdEfGhI',
  '%78%78-local-1_AbCdEfGhI',
  'xx%2dLOCAL-%31_AbCdEfGhI',
  'xx%252Dlocal-1_AbCdEfGhI',
  '%2578x-local-1_AbCdEfGhI',
]

t.test(
  'production rejects an issuer and a jwksUri of the local form, in any spelling',
  async (t) => {
    environment(t, 'production')
    const rejected = /^expected a user pool in AWS under NODE_ENV=production, got a local one\./
    for (const id of SPELLINGS) {
      const issuer = `http://127.0.0.1:9229/${id}`
      for (const options of [{ issuer }, { issuer, jwks: JWKS }]) {
        t.match(refused({ userPoolId: POOL, ...options }), {
          option: 'userPools[0].issuer',
          problem: rejected,
        })
      }
      const several = { issuer: ['http://localhost/p', `http://[::1]/p/${id}/q`] }
      t.equal(refused({ userPoolId: POOL, ...several }).option, 'userPools[0].issuer')
      const jwksUri = `http://localhost:9229/${id}/.well-known/jwks.json`
      t.match(refused({ userPoolId: POOL, issuer: 'http://localhost/p', jwksUri }), {
        option: 'userPools[0].jwksUri',
        problem: rejected,
      })
      t.match(refused({ userPoolId: POOL, issuer: 'https://id.example', jwksUri }), {
        option: 'userPools[0].jwksUri',
        problem: /^expected a user pool in AWS, got a local one .*\. Set its loopback issuer/,
      })
      t.match(refused({ userPoolId: id, issuer: 'http://localhost/p' }), {
        option: 'userPools[0].userPoolId',
        problem: /^expected a user pool in AWS under NODE_ENV=production, got a local one\./,
      })
      t.equal(refused({ userPoolId: id, issuer: 'https://id.example', jwks: JWKS }).code, CODE)
    }
    for (const issuer of [
      ...[
        'https://id.example/xx-local-10_A',
        'https://id.example/%zz%2',
        'https://id.example/xx-local-1',
      ],
      ...['https://xx-local-1.example', 'http://localhost:3001/eu-west-1_AbCdEfGhI'],
    ]) {
      t.equal(read({ userPoolId: POOL, issuer }).local, false, issuer)
    }
  },
)

t.test('an issuer of the local form makes a pool local outside production too', async (t) => {
  environment(t, 'development')
  for (const id of SPELLINGS) {
    const issuer = `http://127.0.0.1:9229/${id}`
    t.equal(read({ userPoolId: POOL, issuer }).local, true, id)
    t.equal(read({ userPoolId: POOL, issuer: `https://id.example/${id}`, jwks: JWKS }).local, true)
    t.match(refused({ userPoolId: POOL, issuer: `https://id.example/${id}` }), {
      option: 'userPools[0].issuer',
      problem: /^expected a user pool in AWS, got a local one .*\. Set its loopback issuer/,
    })
  }
})
