import { inspect } from 'node:util'
import t from 'tap'
import { createVerifiedToken } from '../../../src/core/token/verified-token.ts'
import type { MachineClaims, VerifiedToken } from '../../../src/index.ts'
import {
  type Changes,
  CLIENT,
  encode,
  ISSUER,
  machineClaims,
  NOW,
  POOL,
} from '../../support/forge.ts'

function make(changes: Changes = {}): VerifiedToken {
  const claims = machineClaims(changes) as unknown as MachineClaims
  return createVerifiedToken(`header.${encode(claims)}.signature`, claims, {
    userPoolId: POOL,
    issuer: ISSUER,
    clientId: claims.client_id,
  })
}

t.test('names the client, its scopes and where the token comes from', async (t) => {
  const { scopes, claims, ...named } = make()
  t.strictSame(named, {
    clientId: CLIENT,
    subject: CLIENT,
    userPoolId: POOL,
    issuer: ISSUER,
    tokenId: '39cdbc77-8743-4e1e-9669-96e62b165f1c',
    issuedAt: NOW - 10,
    expiresAt: NOW + 3600,
  })
  t.strictSame([...scopes], ['orders/read', 'orders/write'])
  t.strictSame(claims, machineClaims())
})

t.test("a user's token keeps its own subject beside the client's name", async (t) => {
  const token = make({ sub: 'a-user' })
  t.match(token, { subject: 'a-user', clientId: CLIENT })
  t.match(token.claims, { sub: 'a-user', client_id: CLIENT })
})

t.test('an empty or absent scope grants nothing, not the empty scope', async (t) => {
  for (const scope of ['', undefined]) {
    const { scopes } = make({ scope })
    t.equal(scopes.size, 0)
    t.equal(scopes.has(''), false)
    t.strictSame([...scopes], [])
  }
})

t.test('scopes read like any Set', async (t) => {
  const { scopes } = make({ scope: 'a/x b/y a/x' })
  t.equal(scopes.size, 2)
  t.ok(scopes.has('a/x'))
  t.notOk(scopes.has('a/'))
  t.strictSame([...scopes.keys()], ['a/x', 'b/y'])
  t.strictSame([...scopes.values()], ['a/x', 'b/y'])
  t.strictSame(
    [...scopes.entries()],
    [
      ['a/x', 'a/x'],
      ['b/y', 'b/y'],
    ],
  )
  t.strictSame(new Set(scopes), new Set(['a/x', 'b/y']))
  t.equal(JSON.stringify({ scopes }), '{"scopes":["a/x","b/y"]}')
  t.equal(Object.prototype.toString.call(scopes), '[object Set]')
  const seen: unknown[] = []
  scopes.forEach(function (this: unknown, ...args) {
    seen.push([this, ...args])
  }, 'self')
  t.strictSame(seen, [
    ['self', 'a/x', 'a/x', scopes],
    ['self', 'b/y', 'b/y', scopes],
  ])
})

t.test("has each of Set's set operations the runtime has", async (t) => {
  const { scopes } = make({ scope: 'a/x b/y' })
  const other = new Set(['b/y', 'c/z'])
  const expected: Record<string, unknown> = {
    union: new Set(['a/x', 'b/y', 'c/z']),
    intersection: new Set(['b/y']),
    difference: new Set(['a/x']),
    symmetricDifference: new Set(['a/x', 'c/z']),
    isSubsetOf: false,
    isSupersetOf: false,
    isDisjointFrom: false,
  }
  for (const [name, result] of Object.entries(expected)) {
    const method = (scopes as unknown as Record<string, (set: Set<string>) => unknown>)[name]
    t.equal(method !== undefined, name in Set.prototype)
    if (method !== undefined) t.strictSame(method.call(scopes, other), result, name)
  }
  t.strictSame([...scopes], ['a/x', 'b/y'])
})

t.test("Set's own methods cannot change the scopes", async (t) => {
  const { scopes } = make({ scope: 'a/x' })
  const set = scopes as Set<string>
  for (const change of ['add', 'delete', 'clear'] as const) {
    const method = Set.prototype[change] as (scope: string) => unknown
    t.throws(() => method.call(set, 'a/x'), TypeError)
    t.throws(() => set[change]('a/x'), TypeError)
  }
  t.strictSame([...scopes], ['a/x'])
})

t.test('nothing of the scopes or their prototype can be replaced', async (t) => {
  const { scopes } = make({ scope: 'a/x' })
  const prototype = Object.getPrototypeOf(scopes)
  const yes = (): boolean => true
  for (const target of [scopes, prototype]) {
    t.ok(Object.isFrozen(target))
    t.throws(() => Object.assign(target, { has: yes }), TypeError)
    t.throws(() => Object.defineProperty(target, 'has', { value: yes }), TypeError)
    t.throws(() => Object.setPrototypeOf(target, { has: yes }), TypeError)
  }
  t.equal(Reflect.deleteProperty(prototype, 'has'), false)
  t.equal(scopes.has('b/y'), false)
  t.strictSame(Reflect.ownKeys(scopes), [])
})

t.test('nothing reachable from the scopes hands out what is behind them', async (t) => {
  const { scopes } = make({ scope: 'a/x' })
  const made = Object.getPrototypeOf(scopes).constructor
  t.strictSame(Reflect.ownKeys(made).sort(), ['length', 'name', 'prototype'])
  t.ok(Object.isFrozen(made))
  for (const key of ['add', 'clear', 'delete', 'has', 'values'] as const) {
    t.throws(() => Reflect.apply(Set.prototype[key], scopes, ['b/y']), TypeError, key)
  }
  t.strictSame([...scopes], ['a/x'])
})

t.test('a handler receives a copy of the scopes', async (t) => {
  const { scopes } = make({ scope: 'a/x' })
  const list = (scopes as unknown as { toJSON(): string[] }).toJSON()
  list.push('b/y')
  const iterator = scopes[Symbol.iterator]()
  t.strictSame(iterator.next(), { value: 'a/x', done: false })
  t.equal(iterator.next().done, true)
  scopes.forEach((_scope, _same, set) => {
    t.equal(set, scopes)
  })
  t.strictSame([...scopes], ['a/x'])
})

t.test('the token and every claim are frozen, however deep', async (t) => {
  const token = make({ tenant: { ids: [{ id: 1 }], none: null }, list: [[]] })
  const { tenant, list } = token.claims as unknown as {
    tenant: { ids: { id: number }[] }
    list: unknown[][]
  }
  for (const value of [token, token.claims, tenant, tenant.ids, tenant.ids[0], list, list[0]]) {
    t.ok(Object.isFrozen(value))
  }
  t.throws(() => Object.assign(token, { clientId: 'other' }), TypeError)
  t.throws(() => Object.assign(token.claims, { scope: 'admin/all' }), TypeError)
  t.throws(() => tenant.ids.push({ id: 2 }), TypeError)
})

t.test('the raw token is not on it', async (t) => {
  t.strictSame(Object.keys(make()).sort(), [
    ...['claims', 'clientId', 'expiresAt', 'issuedAt', 'issuer', 'scopes', 'subject', 'tokenId'],
    'userPoolId',
  ])
})

t.test('lazily decoded members are enumerable', async (t) => {
  const token = make()
  t.equal(token.claims, token.claims, 'decoded once')
  t.equal(token.scopes, token.scopes)
  t.strictSame({ ...token }, Object.fromEntries(Object.entries(token)))
  t.strictSame(JSON.parse(JSON.stringify(token)), {
    ...token,
    scopes: [...token.scopes],
    claims: machineClaims(),
  })
  const printed = inspect(token)
  t.match(printed, /tokenId: '39cdbc77/)
  t.notMatch(printed, /Getter|header\./)
})

t.test('the members that are accessors work on tokens alone', async (t) => {
  const token = make()
  for (const name of ['scopes', 'tokenId', 'claims'] as const) {
    t.throws(() => Reflect.get(token, name, {}), TypeError, name)
    t.throws(() => Object.defineProperty(token, name, { value: 'other' }), TypeError, name)
  }
  const made = Object.getPrototypeOf(token)
  t.ok(Object.isFrozen(made) && Object.isFrozen(made.constructor))
})
