import t from 'tap'
import {
  describeValue,
  OptionError,
  readFunction,
  readMembers,
  readNumber,
  readStrings,
} from '../../../src/core/options/validate.ts'

function refused(read: () => unknown): OptionError {
  try {
    read()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test('an OptionError names the package, the option and the problem', async (t) => {
  const error = new OptionError('userPools[1].clientId', 'expected one, got none. Add one.')
  t.ok(error instanceof TypeError)
  t.match(error, { name: 'OptionError', code: 'ERR_OPTION_INVALID' })
  t.equal(error.option, 'userPools[1].clientId')
  t.equal(error.message, 'cognito-m2m: userPools[1].clientId: expected one, got none. Add one.')
})

t.test('describes a value on one line, without the content of objects', async (t) => {
  const table: [unknown, string][] = [
    ['a"b', '"a\\"b"'],
    ['a\r\nb', '"a\\r\\nb"'],
    ['x'.repeat(80), JSON.stringify('x'.repeat(80))],
    ['x'.repeat(81), JSON.stringify(`${'x'.repeat(80)}…`)],
    [[], 'an empty array'],
    [['secret'], 'an array'],
    [{ secret: 1 }, 'an object'],
    [null, 'null'],
    [undefined, 'undefined'],
    [() => 'secret', 'a function'],
    [Number.NaN, 'NaN'],
    [5n, '5'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
  ]
  for (const [value, text] of table) t.equal(describeValue(value), text)
})

t.test('copies allowed members once, into an object without a prototype', async (t) => {
  let reads = 0
  const value = {
    a: 1,
    get b() {
      reads += 1
      return reads
    },
  }
  const members = readMembers(value, ['a', 'b', 'c'], 'place')
  value.a = 2
  t.strictSame({ ...members }, { a: 1, b: 1 })
  t.equal(reads, 1)
  t.equal(Object.getPrototypeOf(members), null)
  t.equal(members['toString'], undefined)
})

t.test(
  'rejects values that are not plain objects, unknown members and undefined members',
  async (t) => {
    for (const value of [
      undefined,
      null,
      5,
      'a',
      true,
      [],
      () => {},
      new Map(),
      Object.create({ a: 1 }),
    ]) {
      t.match(
        refused(() => readMembers(value, ['a'], '')).message,
        /: options: expected a plain object, got .+\. Pass an object literal\.$/,
      )
      t.equal(refused(() => readMembers(value, ['a'], 'keyStore')).option, 'keyStore')
    }
    const unknown = refused(() => readMembers({ a: 1, b: 2 }, ['a', 'c'], 'keyStore'))
    t.equal(
      unknown.message,
      'cognito-m2m: keyStore.b: expected one of a, c, got an unknown name. Rename or remove it.',
    )
    t.equal(refused(() => readMembers({ b: 2 }, ['a'], '')).option, 'b')
    t.match(refused(() => readMembers({ 'a\r\nb': 2 }, ['a'], '')).message, /^[^\r\n]*$/)
    const absent = refused(() => readMembers({ a: undefined }, ['a'], ''))
    t.equal(
      absent.message,
      'cognito-m2m: a: expected a value, got undefined. Set it or leave it out.',
    )
    const tampered = JSON.parse('{"__proto__":{"a":1}}')
    t.equal(refused(() => readMembers(tampered, ['a'], '')).option, '__proto__')
  },
)

t.test('reads a number within inclusive limits', async (t) => {
  const range = { defaultValue: 5, min: 1, max: 10, unit: 'seconds' }
  const read = (n: unknown, more = {}) => readNumber({ n }, 'n', 'place', { ...range, ...more })
  t.equal(readNumber({}, 'n', 'place', range), 5)
  for (const value of [1, 1.5, 10]) t.equal(read(value), value)
  for (const value of [null, 0.999, 10.001, Number.NaN, Infinity, -1, '5', true, 5n, [5], {}]) {
    const error = refused(() => read(value))
    t.equal(error.option, 'place.n')
    t.match(
      error.message,
      /: expected a number of seconds from 1 to 10, got .+\. Pass a number in this range\.$/,
    )
  }
  t.equal(read(5, { integer: true }), 5)
  const bare = () => readNumber({ n: 0 }, 'n', '', { defaultValue: 1, min: 1, max: 9 })
  t.match(
    refused(bare).message,
    /: expected a number from 1 to 9, got 0\. Pass a number in this range\.$/,
  )
  t.match(
    refused(() => read(5.5, { integer: true })).message,
    /: expected a whole number of seconds from 1 to 10, got 5\.5\./,
  )
  t.equal(refused(() => readNumber({ n: 0 }, 'n', '', range)).option, 'n')
})

t.test('reads an optional function', async (t) => {
  const check = () => true
  t.equal(readFunction({ check }, 'check'), check)
  t.equal(readFunction({}, 'check'), undefined)
  for (const value of [null, true, 'check', {}]) {
    t.equal(refused(() => readFunction({ check: value }, 'check')).option, 'check')
    t.equal(refused(() => readFunction({ check: value }, 'check', 'route')).option, 'route.check')
  }
})

t.test('reads one or several non-empty strings', async (t) => {
  const list = ['a', 'b']
  const read = readStrings(list, 'clientId', 'client')
  list.push('c')
  t.strictSame(read, ['a', 'b'])
  t.strictSame(readStrings('a', 'clientId', 'client'), ['a'])
  for (const value of [undefined, null, '', ' a', 'a ', 'a b', 5, {}, () => 'a']) {
    t.equal(refused(() => readStrings(value, 'clientId', 'client')).option, 'clientId')
    t.equal(refused(() => readStrings(['a', value], 'clientId', 'client')).option, 'clientId[1]')
  }
  t.match(refused(() => readStrings([], 'clientId', 'client')).message, /at least one client/)
  t.equal(refused(() => readStrings(new Array(1), 'clientId', 'client')).option, 'clientId[0]')
})
