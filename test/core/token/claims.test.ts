import t from 'tap'
import { checkClaims } from '../../../src/core/token/claims.ts'
import type { JsonObject } from '../../../src/core/token/strict-json.ts'
import { type Changes, CLIENT, label, machineClaims, NOW, userClaims } from '../../support/forge.ts'

const RULES = {
  machinesOnly: true,
  audience: undefined,
  clientIds: new Set([CLIENT]),
  clockTolerance: 5,
}

function check(claims: Changes, rules = {}, now = NOW * 1000): unknown {
  return checkClaims(claims as JsonObject, { ...RULES, ...rules }, now)?.code
}

/** Each value of one claim gets the same answer; undefined leaves the claim out. */
function expect(rule: string, code: string | undefined, claim: string, values: unknown[]): void {
  t.test(rule, async (t) => {
    for (const value of values) {
      const { [claim]: _left, ...others } = machineClaims()
      const claims = value === undefined ? others : { ...others, [claim]: value }
      t.equal(check(claims), code, `${claim}: ${label(value)}`)
    }
  })
}

const WORDS = [undefined, null, 5, true, [], ['access'], {}]

t.test("accepts a machine's claims, unknown ones included", async (t) => {
  t.equal(check(machineClaims()), undefined)
  t.equal(check(machineClaims({ tenant: { id: 1 }, 'cognito:groups': null, a: [] })), undefined)
})

expect('refuses a token_use that is no string', 'ERR_TOKEN_INVALID', 'token_use', WORDS)
expect('refuses any token_use but access', 'ERR_TOKEN_USE', 'token_use', [
  ...['id', 'refresh', 'Access', 'ACCESS', 'access ', '', 'acces', 'access\0'],
])
for (const claim of ['client_id', 'sub', 'jti']) {
  expect(`refuses a ${claim} that is no string`, 'ERR_TOKEN_INVALID', claim, WORDS)
  expect(`refuses an empty ${claim}`, 'ERR_TOKEN_INVALID', claim, [''])
}

const NO_TIMES = [null, '', String(NOW), [NOW], {}, true, Infinity, -Infinity, Number.NaN]
expect('refuses a token without a finite exp', 'ERR_TOKEN_INVALID', 'exp', [undefined, ...NO_TIMES])
expect('refuses a token without a finite iat', 'ERR_TOKEN_INVALID', 'iat', [undefined, ...NO_TIMES])
expect('refuses an nbf that is not finite', 'ERR_TOKEN_INVALID', 'nbf', NO_TIMES)
expect('accepts a token without nbf', undefined, 'nbf', [undefined, NOW, 0, -1, NOW - 0.5])

expect('rejects a scope that is not a string', 'ERR_TOKEN_INVALID', 'scope', [
  ...[null, 5, true, ['orders/read'], { 'orders/read': true }],
])
expect('refuses a scope that is no list of RFC 6749', 'ERR_TOKEN_INVALID', 'scope', [
  ...[' ', ' a', 'a ', 'a  b', 'a\tb', 'a\nb', 'a"b', 'a\\b', 'é', 'a\u00a0b', 'a\0', 'a\x7f'],
])
expect('accepts a scope that is a list, empty or absent', undefined, 'scope', [
  ...[undefined, '', 'a', 'orders/read', 'a b c', 'https://api.example/x/y !#[]^~'],
])
expect('refuses an aud that is no string and no list of strings', 'ERR_TOKEN_INVALID', 'aud', [
  ...[null, 5, { 0: CLIENT }, [5], [CLIENT, null], [[CLIENT]]],
])
expect('refuses an aud that is not only the client', 'ERR_TOKEN_AUDIENCE', 'aud', [
  ...['', 'other', [], `${CLIENT} `, [CLIENT, 'other']],
])
expect('accepts an aud that is the client, or none', undefined, 'aud', [
  ...[undefined, CLIENT, [CLIENT]],
])

expect('refuses a sub that is not the client where machines are expected', 'ERR_TOKEN_USE', 'sub', [
  ...['a-user', `${CLIENT} `, CLIENT.toUpperCase(), CLIENT.slice(1)],
])
expect('refuses a username of any kind where machines are expected', 'ERR_TOKEN_USE', 'username', [
  ...['a-user', '', null, false, CLIENT, []],
])

t.test("subjects 'any' lets users in and checks everything else", async (t) => {
  const any = { machinesOnly: false }
  t.equal(check(userClaims(), any), undefined)
  t.equal(check(machineClaims(), any), undefined)
  t.equal(check(userClaims({ token_use: 'id' }), any), 'ERR_TOKEN_USE')
  t.equal(check(userClaims({ exp: NOW - 60 }), any), 'ERR_TOKEN_EXPIRED')
  t.equal(check(userClaims({ aud: 'other' }), any), 'ERR_TOKEN_AUDIENCE')
  t.equal(check(userClaims({ aud: CLIENT }), any), undefined)
  t.equal(check(userClaims({ client_id: 'other' }), any), 'ERR_CLIENT_NOT_ALLOWED')
})

t.test('a token expires exactly at exp plus the tolerance', async (t) => {
  for (const clockTolerance of [0, 5, 300]) {
    const claims = machineClaims({ exp: NOW })
    const end = (NOW + clockTolerance) * 1000
    t.equal(check(claims, { clockTolerance }, end - 1), undefined)
    t.equal(check(claims, { clockTolerance }, end), 'ERR_TOKEN_EXPIRED')
    t.equal(check(claims, { clockTolerance }, end + 1), 'ERR_TOKEN_EXPIRED')
  }
})

t.test('a token with nbf is active from nbf less the tolerance on', async (t) => {
  for (const clockTolerance of [0, 5, 300]) {
    const claims = machineClaims({ nbf: NOW })
    const start = (NOW - clockTolerance) * 1000
    t.equal(check(claims, { clockTolerance }, start - 1), 'ERR_TOKEN_NOT_ACTIVE')
    t.equal(check(claims, { clockTolerance }, start), undefined)
  }
})

t.test('rejects an iat more than 300 seconds ahead, whatever the tolerance', async (t) => {
  for (const clockTolerance of [0, 5, 300]) {
    const at = (iat: number) => check(machineClaims({ iat }), { clockTolerance })
    t.equal(at(NOW + 300), undefined)
    t.equal(at(NOW + 300.5), 'ERR_TOKEN_NOT_ACTIVE')
    t.equal(at(NOW + 3000), 'ERR_TOKEN_NOT_ACTIVE')
  }
})

t.test('a clock that returns NaN rejects', async (t) => {
  t.equal(check(machineClaims(), {}, Number.NaN), 'ERR_TOKEN_EXPIRED')
  t.equal(check(machineClaims(), { clockTolerance: Number.NaN }), 'ERR_TOKEN_EXPIRED')
})

t.test('rejects a client that is not on the static list', async (t) => {
  const other = machineClaims({ client_id: 'other', sub: 'other' })
  t.equal(check(other), 'ERR_CLIENT_NOT_ALLOWED')
  t.equal(check(machineClaims(), { clientIds: new Set() }), 'ERR_CLIENT_NOT_ALLOWED')
  t.equal(
    check(machineClaims(), { clientIds: new Set([CLIENT.toUpperCase()]) }) !== undefined,
    true,
  )
  t.equal(check(other, { clientIds: new Set(['other', CLIENT]) }), undefined)
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const claims = machineClaims({ client_id: name, sub: name })
    t.equal(check(claims), 'ERR_CLIENT_NOT_ALLOWED', 'a list is no object')
  }
  t.equal(
    check(other, { clientIds: undefined }),
    undefined,
    'without a list, no client is rejected here',
  )
})

t.test('of two faults the earlier check decides', async (t) => {
  const faults: [string, Changes][] = [
    ['ERR_TOKEN_USE', { token_use: 'id' }],
    ['ERR_TOKEN_INVALID', { scope: 5 }],
    ['ERR_TOKEN_USE', { username: 'a-user' }],
    ['ERR_TOKEN_AUDIENCE', { aud: 'a third' }],
    ['ERR_TOKEN_EXPIRED', { exp: NOW - 60 }],
    ['ERR_TOKEN_NOT_ACTIVE', { nbf: NOW + 60 }],
    ['ERR_CLIENT_NOT_ALLOWED', { client_id: 'other', sub: 'other' }],
  ]
  for (const [index, [code, earlier]] of faults.entries()) {
    for (const [, later] of faults.slice(index)) {
      const claims = machineClaims({ ...later, ...earlier })
      t.equal(check(claims), code, `${label(earlier)} ${label(later)}`)
    }
  }
})
