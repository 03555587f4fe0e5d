/** A cached token: its estimated memory, and when it is still valid. */
import t from 'tap'
import type { ImportedKey } from '../../../src/core/keys/jwk.ts'
import type { IssuerKeys } from '../../../src/core/keys/remote-jwks.ts'
import { CachedToken } from '../../../src/core/token/token-cache.ts'
import type { MachineClaims, VerifiedToken } from '../../../src/index.ts'
import {
  type Changes,
  CLIENT,
  ISSUER,
  keyPair,
  machineClaims,
  NOW,
  POOL,
} from '../../support/forge.ts'

const key: ImportedKey = { kind: 'key', kid: 'a', key: keyPair().publicKey, n: '', e: '' }

function keep(claims: Record<string, unknown>, credential = 'Bearer a.b.c', holds = () => true) {
  const asked: unknown[][] = []
  const isStillValid = (...given: unknown[]): boolean => {
    asked.push(given)
    return holds()
  }
  const issuer = {
    userPoolId: POOL,
    issuer: ISSUER,
    keys: { isStillValid } as unknown as IssuerKeys,
    rules: {
      machinesOnly: true,
      audience: undefined,
      clientIds: new Set([CLIENT]),
      clockTolerance: 5,
    },
    lookup: undefined,
  }
  const cached = new CachedToken(credential, {} as VerifiedToken, issuer, {
    kind: 'verified',
    claims: claims as unknown as MachineClaims,
    key,
  })
  return { cached, asked }
}

const bytesOf = (claims: Record<string, unknown>): number => keep(claims).cached.bytes

t.test('is held to take its header value, each claim, and what is inside of them', async (t) => {
  const empty = bytesOf({})
  t.ok(empty > 300, 'an entry by itself')
  t.equal(keep({}, `Bearer a.b.c${'d'.repeat(1000)}`).cached.bytes, empty + 1000)
  const added = (value: unknown): number => bytesOf({ claim: value }) - empty
  t.equal(added('x'.repeat(500)) - added(''), 500)
  t.ok(added('') > added(0), 'even an empty string')
  for (const small of [5, true, null]) t.equal(added(small), added(0), `${small}`)
  t.ok(added(0) > 0)
  t.ok(added({}) > added(''))
  t.equal(added({}), added([]))
  const member = added({ a: 0 }) - added({})
  t.ok(member > 100, 'an object inside may have a shape of its own')
  t.equal(added({ a: 0, b: 0 }) - added({}), 2 * member)
  t.equal(added({ longer: 0 }) - added({}), member + 5, 'names count')
  const item = added([0]) - added([])
  t.ok(item > 8)
  t.equal(added([[[0, 0]]]) - added([[[]]]), 2 * item, 'however deep')
  t.equal(added([['x'.repeat(500)]]) - added([['']]), 500)
})

t.test('a new entry is not visited, and satisfies no route', async (t) => {
  const { cached } = keep(machineClaims())
  t.equal(cached.visited, false)
  t.equal(cached.satisfiedRoutes, 0)
  cached.visited = true
  t.equal(cached.satisfiedRoutes, 0)
  cached.satisfiedRoutes |= 2 ** 29
  t.equal(cached.visited, true)
})

function counts(changes: Changes, seconds: number, milliseconds = 0): boolean {
  return keep(machineClaims(changes)).cached.isStillValid(seconds * 1000 + milliseconds)
}

t.test('counts from the first moment it is active until the last before it expires', async (t) => {
  t.equal(counts({ nbf: NOW }, NOW - 5, -1), false)
  t.equal(counts({ nbf: NOW }, NOW - 5), true)
  t.equal(counts({ iat: NOW }, NOW - 300, -1), false)
  t.equal(counts({ iat: NOW }, NOW - 300), true)
  t.equal(counts({ exp: NOW }, NOW + 5, -1), true)
  t.equal(counts({ exp: NOW }, NOW + 5), false)
  t.equal(counts({}, Number.NaN), false)
})

t.test('its own key is asked about, at the moment of the use', async (t) => {
  let holds = true
  const { cached, asked } = keep(machineClaims(), 'Bearer a.b.c', () => holds)
  t.equal(cached.isStillValid(NOW * 1000 + 7), true)
  holds = false
  t.equal(cached.isStillValid(NOW * 1000 + 8), false)
  t.strictSame(asked, [
    [key, NOW * 1000 + 7],
    [key, NOW * 1000 + 8],
  ])
})
