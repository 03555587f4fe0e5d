/** Comparison of texts that are known in part. */
import fc from 'fast-check'
import t from 'tap'
import {
  composeScope,
  createLiteral,
  createText,
  createTextComparer,
  getLiteral,
  isSameText,
  mayBeSameText,
  type SymbolicText,
  splitScope,
} from '../../../../src/contract/infra/check/symbolic.ts'

/** Parses `orders-${Env}`. `${}` has no key. */
const parse = (text: string): SymbolicText =>
  createText(
    text.split(/(\$\{\w*\})/).map((part) => {
      const [, key] = /^\$\{(\w*)\}$/.exec(part) ?? []
      return key === undefined ? part : { key, label: part, resolve: key }
    }),
  )

t.test('texts are compared piece by piece', (t) => {
  const cases: [a: string, b: string, mayBeSame: boolean][] = [
    ['orders/read', 'orders/read', true],
    ['orders/read', 'orders/raed', false],
    ['', '', true],
    ['', 'a', false],
    ['orders-${Env}/read', 'orders-${Env}/read', true],
    ['orders-${Env}/read', 'orders-${Env}/raed', false],
    ['orders-${Env}/read', 'ordres-${Env}/read', false],
    ['orders-${Env}/read', 'orders-${Stage}/read', true],
    ['orders-${Env}/read', 'orders-dev/read', true],
    ['orders-${Env}/read', 'orders-/read', true],
    ['orders-${Env}/read', 'orders/read', false],
    ['orders-${Env}/read', 'orders-dev/read/all', false],
    ['${Stack}-a/read', '${Stack}-b/read', false],
    ['${Stack}-a/read', '${Other}-b/read', false],
    ['${Stack}-a/read', '${Other}-a/read', true],
    ['${Stack}/read', '${Stack}-a/read', false],
    ['${}-a/read', '${}-a/read', true],
    ['${}-a/read', '${}-b/read', false],
    ['${Server}', 'orders/read', true],
    ['${A}${B}', '${A}', true],
    ['${A}x', '${A}', false],
    ['${A}', '', true],
    ['${A}-${B}', 'dev', false],
    ['${A}-${B}', 'dev-eu', true],
    ['${A}-${B}-${C}', 'dev-eu', false],
    ['ab${A}ba', 'aba', false],
    ['ab${A}ba', 'abba', true],
  ]
  for (const [a, b, expected] of cases) {
    t.equal(mayBeSameText(parse(a), parse(b)), expected, `${a} = ${b}`)
    t.equal(mayBeSameText(parse(b), parse(a)), expected, `${b} = ${a}`)
  }
  t.end()
})

t.test('texts that are equal for one choice of values never differ', (t) => {
  const text = fc.array(fc.constantFrom('a', 'b', '/', '${X}', '${Y}', '${}'), { maxLength: 6 })
  const value = fc.stringMatching(/^[ab/]{0,3}$/)
  const choose = (pieces: readonly string[], x: string, y: string, unknown: string): string =>
    pieces.join('').replaceAll('${X}', x).replaceAll('${Y}', y).replaceAll('${}', unknown)
  fc.assert(
    fc.property(text, text, value, value, value, value, (a, b, x, y, one, two) => {
      const isEqual = choose(a, x, y, one) === choose(b, x, y, two)
      const [left, right] = [parse(a.join('')), parse(b.join(''))]
      t.ok(!isEqual || mayBeSameText(left, right), `${left.label} = ${right.label}`)
      t.ok(!isSameText(left, right) || left.label === right.label)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('only texts whose pieces have keys are certainly equal', (t) => {
  t.ok(isSameText(parse('a-${X}'), parse('a-${X}')))
  t.notOk(isSameText(parse('a-${}'), parse('a-${}')))
  t.notOk(isSameText(parse('a-${X}'), parse('a-${Y}')))
  // A literal that looks like a key is another text.
  t.notOk(isSameText(createLiteral('["X"]'), parse('${X}')))
  t.equal(getLiteral(parse('')), '')
  t.equal(getLiteral(parse('${X}')), undefined)
  t.end()
})

t.test('a scope is split where nothing after the slash is unknown', (t) => {
  const split = (text: string) => {
    const parts = splitScope(parse(text))
    return parts && [parts.identifier.label, parts.name.label]
  }
  t.strictSame(split('orders/read'), ['orders', 'read'])
  t.strictSame(split('https://${Host}/v1/read'), ['https://${Host}/v1', 'read'])
  t.strictSame(split('${Server}/read'), ['${Server}', 'read'])
  for (const text of ['read', '${Scope}', 'orders/${Name}', 'orders/${Prefix}read', '']) {
    t.equal(split(text), undefined, text)
  }
  t.equal(composeScope(parse('${Server}'), parse('read')).label, '${Server}/read')
  t.equal(composeScope(parse('orders')).label, 'orders/${…}')
  t.end()
})

t.test('a comparer stops after a number of comparisons, and then no text differs', (t) => {
  const mayBeSame = createTextComparer(2)
  const [a, b] = [parse('a-${X}'), parse('b-${X}')]
  t.notOk(mayBeSame(createLiteral('a'), createLiteral('b')))
  t.ok(mayBeSame(a, a))
  t.strictSame([mayBeSame(a, b), mayBeSame(a, b), mayBeSame(a, b)], [false, false, true])
  t.notOk(mayBeSame(createLiteral('a'), createLiteral('b')))
  t.end()
})
