/** Options that say one thing and iterate or list another: nothing of them is ever dropped in silence. */
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import t from 'tap'
import { cognitoAuth as expressAuth } from '../../../src/adapters/express/index.ts'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { createLambdaAuthorizer } from '../../../src/adapters/lambda/index.ts'
import { anyOf } from '../../../src/index.ts'
import { CLIENT, jwk, machineToken, NOW, outcome, POOL, serve } from '../../support/forge.ts'

const SCOPE = 'orders/admin'
const token = `Bearer ${machineToken()}`
const options = (changes: object = {}) => ({
  userPoolId: POOL,
  clientId: CLIENT,
  jwks: { keys: [jwk()] },
  now: () => NOW * 1000,
  ...changes,
})

/** An array that iterates as an empty one. */
function silent<Item>(...items: Item[]): Item[] {
  const iterator = { value: () => [][Symbol.iterator]() }
  return Object.defineProperty(items, Symbol.iterator, iterator)
}

class Emptied<Item> extends Array<Item> {
  override *[Symbol.iterator](): ArrayIterator<Item> {}
  override map(): never[] {
    return []
  }
  override get length(): number {
    return 0
  }
  override set length(_length: number) {}
}

/** An object or array whose members cannot be listed. */
function hidden<Value extends object>(value: Value): Value {
  return new Proxy(Array.isArray(value) ? value : { ...value }, {
    ownKeys: () => (Array.isArray(value) ? ['length'] : []),
    get: (target, key) => (key === 'length' ? 0 : Reflect.get(target, key)),
    getPrototypeOf: () => (Array.isArray(value) ? Array.prototype : Object.prototype),
  })
}

/** Object.prototype of no realm: what is inherited from it would be passed over. */
const impostor = (members: object) =>
  Object.create(Object.assign(Object.create(null), { isPrototypeOf: () => true }, members))

/** The same that inherits from a Proxy which denies what it has. */
const behindProxy = (members: object) =>
  Object.assign(Object.create(new Proxy(members, { has: () => false })), {
    isPrototypeOf: () => true,
  })

const lists: [string, <Item>(item: Item) => Item[]][] = [
  ['an array with an iterator of its own', (item) => silent(item)],
  ['an array of a class that iterates as it likes', (item) => Emptied.from([item]) as never],
]
for (const [what, list] of lists) {
  t.test(`reads ${what} by its indexes`, async (t) => {
    for (const requirement of [
      { scopes: list(SCOPE) },
      { scopes: { anyOf: list(SCOPE) } as never },
      { clientId: list('other') },
    ]) {
      t.match(await outcome(serve().guard(requirement), token), /^ERR_(SCOPE|ACCESS)_/)
    }
    t.match(
      await outcome(serve({ clientId: list('other') }).guard(), token),
      'ERR_CLIENT_NOT_ALLOWED',
    )
    const { now: _now, ...pool } = options()
    t.equal(await outcome(serve({ userPools: list(pool) }).guard(), token), 'accepted')
    const metadata = { resource: 'https://api.example', scopes: list(SCOPE) }
    t.match(serve({ resourceMetadata: metadata }).resourceMetadata(), { scopes_supported: [SCOPE] })
  })
}

const exotic: [string, object, RegExp][] = [
  [
    'a Proxy that hides its members',
    hidden({ scopes: SCOPE }),
    /expected a plain object, got a Proxy/,
  ],
  ['a Proxy that hides nothing', new Proxy({ scopes: SCOPE }, {}), /got a Proxy/],
  ['a Proxy of scopes', { scopes: hidden([SCOPE]) }, /scopes: expected a plain array, got a Proxy/],
  [
    'a Proxy of anyOf',
    { scopes: hidden(anyOf(SCOPE)) },
    /scopes: expected a plain object, got a Proxy/,
  ],
  [
    'a Proxy within anyOf',
    { scopes: { anyOf: hidden([SCOPE]) } },
    /anyOf: expected a plain array, got a Proxy/,
  ],
  [
    'a Proxy of clients',
    { clientId: hidden(['other']) },
    /clientId: expected a plain array, got a Proxy/,
  ],
  [
    'an impostor as prototype',
    impostor({ scopes: SCOPE }),
    /expected a plain object, got an object/,
  ],
  ['members of an impostor that inherits', Object.create(impostor({ scopes: SCOPE })), /plain/],
  ['a Proxy as prototype', Object.create(new Proxy({}, { getPrototypeOf: () => null })), /plain/],
  ['a Proxy behind an impostor', Object.create(behindProxy({ scopes: SCOPE })), /plain/],
  ['a long list with a hole', { scopes: Object.assign([SCOPE], { length: 2 ** 32 - 1 }) }, /\[1\]/],
  [
    'a list that only looks like one',
    { scopes: { 0: SCOPE, length: 1 } },
    /scopes\.0: expected one of anyOf, got an unknown name/,
  ],
]

t.test('every surface rejects requirements that hide members', async (t) => {
  for (const [what, requirement, problem] of exotic) {
    const refusal = { code: 'ERR_OPTION_INVALID', message: problem }
    t.throws(() => serve().guard(requirement as never), refusal, `core: ${what}`)
    t.throws(() => serve({ default: requirement }), refusal, `default: ${what}`)
    t.throws(() => expressAuth(options() as never)(requirement as never), refusal, what)
    for (const resultTtl of [0, 60]) {
      const routes = { 'GET /r': requirement }
      const made = () => createLambdaAuthorizer(options({ routes, resultTtl }) as never)
      t.throws(made, refusal, `Lambda: ${what}`)
    }
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(cognitoAuth, options() as never)
    const declare = () => app.get('/r', { config: { auth: requirement as never } }, () => 'reached')
    t.throws(declare, refusal, `Fastify: ${what}`)
    const nested = Fastify()
    nested.register(authDefault, { auth: requirement as never })
    await t.rejects(Promise.resolve(nested.ready()), refusal, `authDefault: ${what}`)
  }
})

t.test('every surface rejects a Proxy as options', async (t) => {
  const refusal = { code: 'ERR_OPTION_INVALID', message: /got a Proxy/ }
  t.throws(() => serve({ userPools: hidden([options()]) }), refusal)
  t.throws(() => serve({ clientId: hidden([CLIENT]) }), refusal)
  t.throws(() => expressAuth(hidden(options({ check: () => false })) as never), refusal)
  const routes = hidden({ 'GET /r': { scopes: SCOPE } })
  const made = () => createLambdaAuthorizer(options({ routes, resultTtl: 0, default: {} }) as never)
  t.throws(made, refusal, 'Lambda: a route that hides would be governed by default')
})

t.test('Fastify rejects a route whose config is a Proxy that hides auth', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cognitoAuth, options() as never)
  const config = new Proxy(
    { auth: { scopes: SCOPE } },
    { ownKeys: () => [], has: () => false, getOwnPropertyDescriptor: () => undefined },
  )
  t.throws(() => app.get('/r', { config }, () => 'reached'), {
    code: 'ERR_OPTION_INVALID',
    message: /config of GET \/r: expected a plain object, got a Proxy/,
  })
})

t.test('accepts plain objects and arrays of another realm', async (t) => {
  const foreign = runInNewContext(`({ scopes: ['${SCOPE}'] })`)
  t.equal(await outcome(serve().guard(foreign), token), 'ERR_SCOPE_INSUFFICIENT')
})
