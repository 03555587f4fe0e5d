import t from 'tap'
import { hasRequiredScopes } from '../../src/core/authorize.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import { anyOf, defineScopes, OptionError } from '../../src/index.ts'

const NOTHING = {
  allOf: [],
  anyOf: [],
  clientIds: undefined,
  userPoolIds: undefined,
  optional: false,
  check: undefined,
  optionPath: 'route',
  isDefault: false,
}

function compile(value: unknown) {
  return compileRequirement(value, 'route')
}

/** The refusal of a requirement; fails where it compiles. */
function refused(value: unknown): OptionError {
  try {
    compile(value)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('compiled')
}

function suffices(scopes: unknown, ...granted: string[]): boolean {
  return hasRequiredScopes(
    (scope) => granted.includes(scope),
    compile(scopes === undefined ? {} : { scopes }),
  )
}

t.test('compiles each member of a requirement', async (t) => {
  const check = () => true
  t.strictSame(compile({}), NOTHING)
  t.strictSame(compile({ scopes: 'a/x' }), { ...NOTHING, allOf: ['a/x'] })
  t.strictSame(compile({ scopes: ['a/x', 'a/y', 'a/x'] }), { ...NOTHING, allOf: ['a/x', 'a/y'] })
  t.strictSame(compile({ scopes: anyOf('a/x', 'a/y') }), { ...NOTHING, anyOf: ['a/x', 'a/y'] })
  t.strictSame(compile({ clientId: 'c' }), { ...NOTHING, clientIds: new Set(['c']) })
  t.strictSame(compile({ clientId: ['c', 'd'] }), { ...NOTHING, clientIds: new Set(['c', 'd']) })
  t.strictSame(compile({ userPoolId: 'p' }), { ...NOTHING, userPoolIds: new Set(['p']) })
  t.strictSame(compile({ userPoolId: ['p', 'q'] }).userPoolIds, new Set(['p', 'q']))
  t.strictSame(compile({ optional: true }), { ...NOTHING, optional: true })
  t.equal(compile({ check }).check, check)
  const orders = defineScopes('orders', { read: 'Read' })
  t.strictSame(compile({ scopes: [orders.read] }).allOf, ['orders/read'])
})

t.test('an array requires all scopes', async (t) => {
  t.ok(suffices(['a/x', 'a/y'], 'a/y', 'a/x', 'a/z'))
  t.notOk(suffices(['a/x', 'a/y'], 'a/x'))
  t.notOk(suffices(['a/x', 'a/y'], 'a/y'))
  t.notOk(suffices('a/x'))
})

t.test('anyOf requires one scope', async (t) => {
  t.ok(suffices(anyOf('a/x', 'a/y'), 'a/y'))
  t.ok(suffices(anyOf('a/x', 'a/y'), 'a/x', 'b/z'))
  t.notOk(suffices(anyOf('a/x', 'a/y'), 'a/z'))
  t.notOk(suffices(anyOf('a/x')))
  t.ok(suffices(undefined), 'asked for none')
})

t.test('compares scopes as exact strings', async (t) => {
  for (const granted of ['a/', 'a/xx', 'A/x', 'a/X', 'a', 'b/a/x', 'a/*', '*']) {
    t.notOk(suffices('a/x', granted), granted)
    t.notOk(suffices(anyOf('a/x'), granted), granted)
  }
})

const invalid: [string, unknown, string, RegExp][] = [
  [
    'a string',
    'orders/read',
    'route',
    /got "orders\/read"\. Write \{ scopes: "orders\/read" \}\.$/,
  ],
  [
    'an array',
    ['orders/read'],
    'route',
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  ['an empty array', [], 'route', /: expected a plain object, got .+\. Pass an object literal\.$/],
  ['true', true, 'route', /got true\. Pass \{\} for any valid token\.$/],
  [
    'false, which only opens a route where one is declared',
    false,
    'route',
    /got false\. Pass \{\} for/,
  ],
  ['null', null, 'route', /: expected a plain object, got .+\. Pass an object literal\.$/],
  [
    'undefined',
    undefined,
    'route',
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  ['a number', 1, 'route', /: expected a plain object, got .+\. Pass an object literal\.$/],
  [
    'a function',
    () => true,
    'route',
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  [
    'scope for scopes',
    { scope: 'orders/read' },
    'route.scope',
    /: expected one of scopes, clientId, .+, got an unknown name\. Rename or remove it\.$/,
  ],
  [
    'another unknown member',
    { roles: ['a'] },
    'route.roles',
    /: expected one of scopes, .+, got an unknown name\./,
  ],
  [
    'a member in another case',
    { Scopes: 'a/x' },
    'route.Scopes',
    /: expected one of scopes, .+, got an unknown name\./,
  ],
  [
    'undefined scopes',
    { scopes: undefined },
    'route.scopes',
    /expected a value, got undefined\. Set it or leave it out\.$/,
  ],
  [
    'an undefined clientId',
    { clientId: undefined },
    'route.clientId',
    /: expected a value, got undefined/,
  ],
  [
    'an undefined optional',
    { optional: undefined },
    'route.optional',
    /: expected a value, got undefined/,
  ],
  ['an undefined check', { check: undefined }, 'route.check', /: expected a value, got undefined/],
  ['an empty list of scopes', { scopes: [] }, 'route.scopes', /at least one scope/],
  ['an empty anyOf', { scopes: { anyOf: [] } }, 'route.scopes.anyOf', /at least one scope/],
  [
    'an anyOf without scopes',
    { scopes: {} },
    'route.scopes.anyOf',
    /: expected a scope as a string, got undefined\. Write, for example/,
  ],
  [
    'an undefined anyOf',
    { scopes: { anyOf: undefined } },
    'route.scopes.anyOf',
    /: expected a value, got undefined/,
  ],
  [
    'allOf',
    { scopes: { allOf: ['a/x'] } },
    'route.scopes.allOf',
    /: expected one of anyOf, got an unknown name/,
  ],
  [
    'null scopes',
    { scopes: null },
    'route.scopes',
    /: expected a scope as a string, got null\. Write/,
  ],
  ['a malformed scope', { scopes: 'read' }, 'route.scopes', /"identifier\/name"/],
  [
    'scopes in one string',
    { scopes: 'a/x a/y' },
    'route.scopes',
    /one scope without spaces, got "a\/x a\/y"\. Pass several as an array\.$/,
  ],
  ['one malformed scope of several', { scopes: ['a/x', 'y'] }, 'route.scopes[1]', /"identifier/],
  ['anyOf inside an array', { scopes: [anyOf('a/x')] }, 'route.scopes[0]', /as a string/],
  ['a Set of scopes', { scopes: new Set(['a/x']) }, 'route.scopes', /plain object/],
  [
    'a forgotten await',
    Promise.resolve({ scopes: 'a/x' }),
    'route',
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  [
    'a Map',
    new Map([['scopes', 'a/x']]),
    'route',
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  ['a Date', new Date(0), 'route', /: expected a plain object, got .+\. Pass an object literal\.$/],
  ['members that are inherited', Object.create({ scopes: 'a/x' }), 'route', /a plain object/],
  ['a list of scopes with a hole', { scopes: new Array(1) }, 'route.scopes[0]', /as a string/],
  ['a null clientId', { clientId: null }, 'route.clientId', /non-empty string/],
  ['an empty clientId', { clientId: '' }, 'route.clientId', /non-empty string/],
  [
    'a clientId with a blank',
    { clientId: 'abc ' },
    'route.clientId',
    /: expected the app client id as a non-empty string without spaces, got "abc "\. Pass the exact/,
  ],
  ['an empty list of clients', { clientId: [] }, 'route.clientId', /at least one app client id/],
  ['an empty client of several', { clientId: ['c', ''] }, 'route.clientId[1]', /non-empty/],
  ['a lookup as clientId', { clientId: () => true }, 'route.clientId', /a function/],
  [
    'a truthy optional',
    { optional: 1 },
    'route.optional',
    /: expected a boolean, got .+\. Pass true or false\.$/,
  ],
  [
    'a null optional',
    { optional: null },
    'route.optional',
    /: expected a boolean, got .+\. Pass true or false\.$/,
  ],
  [
    'a check that is no function',
    { check: true },
    'route.check',
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
  [
    'a null check',
    { check: null },
    'route.check',
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
]
for (const [name, value, option, problem] of invalid) {
  t.test(`rejects ${name}`, async (t) => {
    const error = refused(value)
    t.match(error, { name: 'OptionError', code: 'ERR_OPTION_INVALID', option })
    t.ok(error.message.startsWith(`cognito-m2m: ${option}: expected `), error.message)
    t.match(error.message, problem)
    t.notMatch(error.message, /[\r\n]/)
  })
}

t.test(
  'anyOf rejects an empty list and malformed scopes, and returns a frozen object',
  async (t) => {
    const loose = anyOf as (...scopes: unknown[]) => unknown
    for (const scopes of [[], ['read'], ['a/x', undefined], [['a/x']]]) {
      t.throws(() => loose(...scopes), { code: 'ERR_OPTION_INVALID', option: /^anyOf(\[[01]\])?$/ })
    }
    const either = anyOf('a/x', 'a/y')
    t.ok(Object.isFrozen(either) && Object.isFrozen(either.anyOf))
  },
)

t.test('rejects a class instance, whose getters would be ignored', async (t) => {
  class Requirement {
    get scopes() {
      return 'a/x'
    }
  }
  t.match(refused(new Requirement()), {
    option: 'route',
    message: /: expected a plain object, got .+\. Pass an object literal\.$/,
  })
  t.strictSame(compile(Object.assign(Object.create(null), { scopes: 'a/x' })).allOf, ['a/x'])
})

t.test('ignores no inherited, non-enumerable or symbol member', async (t) => {
  const bare = Object.assign(Object.create(null), { scopes: 'a/x' })
  t.match(refused(Object.create(bare)), {
    option: 'route',
    message: /: expected a plain object, got .+\. Pass an object literal\.$/,
  })
  t.match(refused({ [Symbol('scopes')]: 'a/x' }), {
    message: /Symbol\(scopes\)": expected one of .+, got an unknown name/,
  })
  const hidden = Object.defineProperty({}, 'scopes', { value: 'a/x' })
  t.strictSame(compile(hidden).allOf, ['a/x'])
})

t.test('later changes of a requirement have no effect', async (t) => {
  const scopes = ['a/x']
  const clientId = ['c']
  const requirement = { scopes, clientId, optional: false }
  const before = JSON.stringify(requirement)
  const compiled = compile(requirement)
  t.equal(JSON.stringify(requirement), before, 'compiling changes nothing of it')
  scopes.length = 0
  clientId.push('d')
  requirement.optional = true
  t.ok(Object.isFrozen(compiled))
  t.match(compiled, { allOf: ['a/x'], optional: false })
  t.strictSame(compiled.clientIds, new Set(['c']))
})

t.test('reads each member once', async (t) => {
  let reads = 0
  const compiled = compile({
    get scopes() {
      reads += 1
      return reads === 1 ? 'a/x' : undefined
    },
  })
  t.equal(reads, 1)
  t.strictSame(compiled.allOf, ['a/x'])
})
