/** One table of decisions over every surface: status, headers, body and code to the letter. */
import t from 'tap'
import { AUTH_ERRORS } from '../../../src/core/errors.ts'
import type { CognitoAuthOptions } from '../../../src/index.ts'
import { CLIENT, jwk, NOW, POOL } from '../../support/forge.ts'
import { type Row, rows } from './rows.ts'
import { type Answer, type Surface, surfaces, thinSurfaces } from './surfaces.ts'

function optionsOf({ options = {} }: Row): CognitoAuthOptions {
  const pool = { userPoolId: POOL, clientId: null, jwks: { keys: [jwk()] } }
  const all = { ...pool, now: () => NOW * 1000, ...options }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as CognitoAuthOptions
}

function expected({ code, challenge }: Row, surface: Surface): Omit<Answer, 'auth'> {
  if (code === undefined) return { status: 200, code, headers: {}, body: undefined }
  const { statusCode, error, message } = AUTH_ERRORS[code]
  const headers: Record<string, string> = { 'cache-control': 'no-store' }
  if (challenge !== undefined) headers['www-authenticate'] = challenge
  if (statusCode === 503) headers['retry-after'] = '1'
  const hasBody = surface.transport === 'http' || surface.name.startsWith('handler')
  if (hasBody) headers['content-type'] = 'application/json; charset=utf-8'
  return { status: statusCode, code, headers, body: { statusCode, code, error, message } }
}

/** API Gateway responds for an authorizer: 401, 403 for a Deny, and 500 for any other error. */
function expectedOnLambda({ code }: Row): Omit<Answer, 'auth' | 'body' | 'headers'> {
  if (code === undefined) return { status: 200, code }
  const { statusCode } = AUTH_ERRORS[code]
  return { status: { 400: 401, 503: 500 }[statusCode as number] ?? statusCode, code }
}

for (const surface of [...surfaces, ...thinSurfaces]) {
  t.test(surface.name, async (t) => {
    const asked = rows.filter(({ authorization }) => {
      return !(surface.oneLine === true && Array.isArray(authorization))
    })
    for (const row of asked) {
      const door = await surface.open(optionsOf(row), row.requirement)
      const { auth, ...answer } = await door.ask(row.authorization)
      await door.close()
      if (surface.name.startsWith('Lambda')) {
        const { status, code } = answer
        t.strictSame({ status, code }, expectedOnLambda(row), row.name)
      } else t.strictSame(answer, expected(row, surface), row.name)
      if (row.code !== undefined) t.equal(auth, undefined, 'not reached')
      else if (row.anonymous === true) t.equal(auth, null)
      else t.equal(auth?.clientId, CLIENT)
    }
    t.comment(`${asked.length} rows`)
  })
}

t.test('the table has every code', async (t) => {
  const codes = new Set(rows.map(({ code }) => code))
  for (const code of Object.keys(AUTH_ERRORS)) t.ok(codes.has(code as Row['code']), code)
})

const WRONG: [string, unknown, RegExp][] = [
  [
    'a string',
    'orders/read',
    /: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read" \}\.$/,
  ],
  ['true', true, /: expected a requirement, got true\. Pass \{\} for any valid token\.$/],
  ['null', null, /: expected a plain object, got null\. Pass an object literal\.$/],
  ['an array', ['orders/read'], /expected a plain object, got an array/],
  ['a number', 1, /expected a plain object, got 1/],
  ['a function', () => true, /expected a plain object, got a function/],
  [
    'an unknown member',
    { scope: 'orders/read' },
    /\.scope: expected one of scopes, .+, got an unknown name\./,
  ],
  [
    'a member that is undefined',
    { scopes: undefined },
    /\.scopes: expected a value, got undefined\. Set it or leave it out\.$/,
  ],
  ['an empty list', { scopes: [] }, /\.scopes: expected at least one scope, got an empty array/],
  [
    'two scopes in one string',
    { scopes: 'orders/read orders/write' },
    /expected one scope without spaces, got .+\. Pass several as an array\.$/,
  ],
  [
    'no scope',
    { scopes: 'read' },
    /: expected a scope as "identifier\/name", got "read"\. Write, for example, "orders\/read"\.$/,
  ],
  [
    'no client',
    { clientId: [] },
    /\.clientId: expected at least one app client id, got an empty array/,
  ],
  [
    'no user pool',
    { userPoolId: [] },
    /\.userPoolId: expected at least one user pool id, got an empty array/,
  ],
  [
    'a pool of nobody',
    { userPoolId: 'eu-west-1_Other' },
    /\.userPoolId: expected .+, got "eu-west-1_Other"\. Use a user pool of this server\.$/,
  ],
  [
    'a Proxy',
    new Proxy({ scopes: 'a/x' }, { ownKeys: () => [] }),
    /expected a plain object, got a Proxy\. Pass a copy of its content\.$/,
  ],
  [
    'a check that is none',
    { check: true },
    /\.check: expected a function, got true\. Pass a function or leave it out\.$/,
  ],
  [
    'a truthy optional',
    { optional: 1 },
    /\.optional: expected a boolean, got 1\. Pass true or false\.$/,
  ],
  ['a class instance', new Map(), /: expected a plain object, got an object\. Pass/],
]

for (const surface of [...surfaces, ...thinSurfaces]) {
  t.test(`${surface.name} rejects an invalid requirement when it is declared`, async (t) => {
    const options = optionsOf({ name: '', authorization: undefined })
    for (const [name, requirement, problem] of WRONG) {
      const opened = surface.open(options, requirement as never)
      await t.rejects(opened, { code: 'ERR_OPTION_INVALID', message: problem }, name)
    }
  })
}

t.test('changes of a handler to its token do not reach the next request', async (t) => {
  const row = rows.find(({ name }) => name === 'no requirement') as Row
  for (const surface of surfaces.filter(({ name }) => !name.startsWith('Lambda'))) {
    const door = await surface.open(optionsOf(row))
    const { auth } = await door.ask(row.authorization)
    const hostile = auth as unknown as Record<string, unknown> & { claims: Record<string, unknown> }
    const grow = Set.prototype.add as (this: unknown, scope: string) => unknown
    for (const change of [
      () => Object.assign(hostile, { clientId: 'evil' }),
      () => Object.assign(hostile.claims, { tenant: 'evil' }),
      () => Object.setPrototypeOf(hostile, { clientId: 'evil' }),
      () => Object.defineProperty(hostile, 'scopes', { value: new Set(['evil/all']) }),
      () => grow.call(hostile['scopes'], 'evil/all'),
      () => (hostile['scopes'] as Set<string>).add('evil/all'),
    ]) {
      t.throws(change, TypeError)
    }
    const again = (await door.ask(row.authorization)).auth
    t.equal(again?.clientId, CLIENT)
    t.strictSame([...(again?.scopes ?? [])], ['orders/read', 'orders/write'])
    t.notOk('tenant' in (again?.claims ?? {}))
    await door.close()
  }
})
