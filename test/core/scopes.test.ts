import t from 'tap'
import { describeValue } from '../../src/core/options/validate.ts'
import { checkScope, getResourceServer } from '../../src/core/scopes.ts'
import { defineScopes, OptionError } from '../../src/index.ts'
import { label } from '../support/forge.ts'

/** The refusal of a definition; fails where there is none. */
function refused(define: () => unknown): OptionError {
  try {
    define()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test('accepts identifier/name, split at the last slash', async (t) => {
  const longest = `${'i'.repeat(200)}/${'n'.repeat(55)}`
  const scopes = ['orders/read', 'https://api.example.com/orders/read', '!/!', 'a//b', 'a:b/c-d.e']
  for (const scope of [...scopes, longest]) t.equal(checkScope(scope, 'scopes'), scope)
})

t.test("accepts Cognito's own scopes, which have no resource server", async (t) => {
  const reserved = ['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin']
  for (const scope of reserved) t.equal(checkScope(scope, 'scopes'), scope)
})

t.test('rejects malformed scopes', async (t) => {
  const malformed = [
    '',
    'read',
    '/',
    '/read',
    'orders/',
    'OPENID',
    'a"/b',
    'a/b\\',
    'é/a',
    'a/\x7f',
  ]
  for (const scope of [...malformed, 'a/\0', `${'i'.repeat(200)}/${'n'.repeat(56)}`]) {
    const error = refused(() => checkScope(scope, 'scopes'))
    t.equal(error.option, 'scopes')
    t.match(
      error.message,
      `: expected a scope as "identifier/name", got ${describeValue(scope)}. Write, for example, "orders/read".`,
      label(scope),
    )
  }
})

t.test('rejects several scopes in one string', async (t) => {
  for (const scope of ['a/b c/d', 'a/b ', ' a/b', 'a/b\tc/d', 'a/b\nc/d', 'a/b\u00a0']) {
    const { message } = refused(() => checkScope(scope, 'scopes'))
    t.match(
      message,
      /: expected one scope without spaces, got ".+"\. Pass several as an array\.$/,
      label(scope),
    )
    t.notMatch(message, /[\r\n]/)
  }
})

t.test('rejects a scope that is not a string', async (t) => {
  for (const scope of [null, undefined, 5, true, {}, ['a/b'], () => 'a/b']) {
    t.match(
      refused(() => checkScope(scope, 'scopes')).message,
      /: expected a scope as a string, got .+\. Write, for example, "orders\/read"\.$/,
    )
  }
})

t.test('returns frozen scope strings by name', async (t) => {
  const orders = defineScopes('orders', { read: 'Read orders', 'write:all': 'Change orders' })
  t.equal(orders.read, 'orders/read')
  t.equal(orders['write:all'], 'orders/write:all')
  t.strictSame(Object.keys(orders), ['read', 'write:all'])
  t.ok(Object.isFrozen(orders))
  t.throws(() => Object.assign(orders, { read: 'orders/write' }), TypeError)
})

t.test('a scope may be named like a member of Object.prototype', async (t) => {
  const odd = defineScopes('odd', JSON.parse('{"__proto__":"One","constructor":"Two"}'))
  t.equal(Object.getOwnPropertyDescriptor(odd, '__proto__')?.value, 'odd/__proto__')
  t.equal(odd['constructor'], 'odd/constructor')
  t.strictSame(Object.keys(getResourceServer(odd, '').scopes), ['__proto__', 'constructor'])
})

t.test('returns the resource server of either form', async (t) => {
  const scopes = { read: 'Read orders' }
  const server = getResourceServer(defineScopes('orders', scopes), 'servers[0]')
  t.strictSame(server, { identifier: 'orders', scopes: { read: 'Read orders' } })
  t.strictSame(getResourceServer({ identifier: 'orders', scopes }, 'servers[0]'), server)
  t.ok(Object.isFrozen(server) && Object.isFrozen(server.scopes))
  scopes.read = 'Changed later'
  t.equal(server.scopes['read'], 'Read orders')
})

t.test('rejects a definition that Cognito rejects', async (t) => {
  const one = { read: 'Read' }
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, index) => [`s${index}`, 'A scope']),
  )
  const table: [unknown, unknown, string][] = [
    ['', one, 'identifier'],
    ['a b', one, 'identifier'],
    ['a"b', one, 'identifier'],
    ['é', one, 'identifier'],
    ['i'.repeat(257), one, 'identifier'],
    [undefined, one, 'identifier'],
    [5, one, 'identifier'],
    ['a', undefined, 'scopes'],
    ['a', null, 'scopes'],
    ['a', 'read', 'scopes'],
    ['a', ['read'], 'scopes'],
    ['a', {}, 'scopes'],
    ['a', many, 'scopes'],
    ['a', { 'a/b': 'A slash' }, 'scopes'],
    ['a', { 'a b': 'A space' }, 'scopes'],
    ['a', { '': 'No name' }, 'scopes'],
    ['i'.repeat(250), { toolong: 'In all' }, 'scopes'],
    ['a', { read: '' }, 'scopes.read'],
    ['a', { read: 'd'.repeat(257) }, 'scopes.read'],
    ['a', { read: 5 }, 'scopes.read'],
    ['a', { read: null }, 'scopes.read'],
  ]
  const fixes: Record<string, RegExp> = {
    identifier:
      /^expected 1 to 256 printable characters without space, quote or backslash, got .+\. Change the identifier\.$/,
    scopes:
      /^expected (an object of scope names and descriptions, got .+\. Write, for example, .+|1 to 100 scopes, got \d+\. Define 1 to 100 .+|names of printable characters .+, got ".*"\. Rename the scope\.)$/,
    description: /^expected a description of 1 to 256 characters, got .+\. Describe the scope\.$/,
  }
  for (const [identifier, scopes, place] of table) {
    const error = refused(() => defineScopes(identifier as string, scopes as typeof one))
    t.equal(error.option, `defineScopes.${place}`)
    t.match(error.problem, fixes[place] ?? fixes['description'])
    t.notMatch(error.message, /[\r\n]/)
  }
  for (const length of [1, 256]) t.ok(defineScopes('a', { read: 'd'.repeat(length) }))
  const { s100: _dropped, ...hundred } = many
  t.equal(Object.keys(defineScopes('i'.repeat(252), hundred)).length, 100)
})

t.test('rejects an invalid resource server', async (t) => {
  for (const server of [undefined, null, 5, 'orders', [], {}, () => {}]) {
    const error = refused(() => getResourceServer(server, 'servers[1]'))
    t.equal(error.option, 'servers[1].identifier')
  }
})
