import t from 'tap'
import {
  type Changes,
  CLIENT,
  jwk,
  KID,
  keyPair,
  machineToken,
  outcome,
  POOL,
  serve,
} from '../support/forge.ts'

const THEIRS = 'us-east-1_Theirs'
const THEIR_ISSUER = `https://cognito-idp.us-east-1.amazonaws.com/${THEIRS}`
const theirKeys = { keys: [jwk({}, keyPair('theirs'))] }

const our = { userPoolId: POOL, clientId: CLIENT, jwks: { keys: [jwk()] } }
const their = { userPoolId: THEIRS, clientId: 'their-client', jwks: theirKeys }

function ours(claims: Changes = {}): string {
  return `Bearer ${machineToken(claims)}`
}

function theirs(claims: Changes = {}, pair = keyPair('theirs')): string {
  const named = { iss: THEIR_ISSUER, sub: 'their-client', client_id: 'their-client' }
  return `Bearer ${machineToken({ ...named, ...claims }, {}, pair)}`
}

t.test('each pool lets in its own tokens and says which pool it was', async (t) => {
  const guard = serve({ userPools: [our, their] }).guard()
  t.match(await guard(ours()), { userPoolId: POOL, clientId: CLIENT })
  t.match(await guard(theirs()), { userPoolId: THEIRS, clientId: 'their-client' })
})

t.test('the key of one pool verifies no token of another, even under the same kid', async (t) => {
  const guard = serve({ userPools: [our, their] }).guard()
  t.equal(await outcome(guard, theirs({}, keyPair())), 'ERR_TOKEN_SIGNATURE')
  t.equal(await outcome(guard, ours({ iss: THEIR_ISSUER })), 'ERR_CLIENT_NOT_ALLOWED')
  const { keys } = theirKeys
  const apart = { ...their, jwks: { keys: [{ ...keys[0], kid: 'theirs' }] } }
  t.equal(await outcome(serve({ userPools: [our, apart] }).guard(), theirs()), 'ERR_KEY_UNKNOWN')
  t.ok(keys.every(({ kid }) => kid === KID))
})

t.test('clients of one pool are rejected by another', async (t) => {
  const guard = serve({ userPools: [our, their] }).guard()
  const swapped = { sub: 'their-client', client_id: 'their-client' }
  t.equal(await outcome(guard, ours(swapped)), 'ERR_CLIENT_NOT_ALLOWED')
  t.equal(
    await outcome(guard, theirs({ sub: CLIENT, client_id: CLIENT })),
    'ERR_CLIENT_NOT_ALLOWED',
  )
})

t.test('lookup, cached results and subjects are separate per pool', async (t) => {
  const asked: string[] = []
  const lookup = (name: string, answer: boolean) => (clientId: string) => {
    asked.push(`${name}: ${clientId}`)
    return answer
  }
  const userPools = [
    { ...our, clientId: lookup('ours', true) },
    { ...their, clientId: lookup('theirs', false), subjects: 'any' },
  ]
  const guard = serve({ userPools }).guard()
  const same = { sub: CLIENT, client_id: CLIENT }
  t.equal(await outcome(guard, ours()), 'accepted')
  t.equal(await outcome(guard, theirs(same)), 'ERR_CLIENT_NOT_ALLOWED')
  t.equal(await outcome(guard, ours()), 'accepted')
  t.strictSame(asked, [`ours: ${CLIENT}`, `theirs: ${CLIENT}`])
  t.equal(await outcome(guard, ours({ username: 'a-user' })), 'ERR_TOKEN_USE')
  const anyone = serve({ userPools: [our, { ...their, subjects: 'any' }] }).guard()
  t.equal(await outcome(anyone, theirs({ username: 'a-user', sub: 'a-user' })), 'accepted')
})

t.test('a token of a third pool is rejected', async (t) => {
  const guard = serve({ userPools: [our, their] }).guard()
  const iss = THEIR_ISSUER.replace('Theirs', 'Third')
  t.equal(await outcome(guard, ours({ iss })), 'ERR_TOKEN_ISSUER')
})

t.test('status lists every pool and is ready when all are', async (t) => {
  const server = serve({
    userPools: [our, { ...their, jwks: undefined }].map(({ jwks, ...pool }) => ({
      ...pool,
      ...(jwks === undefined ? {} : { jwks }),
    })),
    fetch: () => Promise.reject(new Error('down')),
  })
  t.teardown(() => server.close())
  await server.ready()
  t.match(server.status(), {
    ready: false,
    userPools: [
      { userPoolId: POOL, ready: true, local: false },
      { userPoolId: THEIRS, ready: false, lastError: 'ERR_JWKS_NETWORK' },
    ],
  })
  t.equal(await outcome(server.guard(), ours()), 'accepted')
  t.equal(await outcome(server.guard(), theirs()), 'ERR_KEYS_UNAVAILABLE')
})

t.test('a local pool is announced once and shown in status', async (t) => {
  const lines: unknown[] = []
  const log = (...line: unknown[]) => lines.push(line)
  const logger = { info: log, warn: log, error: log }
  const server = serve({ userPoolId: 'xx-local-1_AbCdEfGhI', logger })
  const issuer = 'https://cognito-idp.xx-local-1.amazonaws.com/xx-local-1_AbCdEfGhI'
  t.equal(await outcome(server.guard(), ours({ iss: issuer })), 'accepted')
  t.match(lines, [[{ userPoolId: 'xx-local-1_AbCdEfGhI' }, /development only/]])
  t.equal(lines.length, 1)
  t.match(server.status(), { userPools: [{ local: true }] })
  serve({ logger })
  t.equal(lines.length, 1)
})
