/** Whether one requirement is as strict as another, compared with every token of a small set. */
import t from 'tap'
import { isSatisfiedBy } from '../../src/core/authorize.ts'
import {
  type CompiledRequirement,
  compileRequirement,
  implies,
} from '../../src/core/requirement.ts'
import type { VerifiedToken } from '../../src/index.ts'

const SCOPES = ['a/x', 'a/y', 'a/z']
/** The last one is named by no requirement. */
const CLIENTS = ['c', 'd', 'e']
const POOLS = ['p', 'q']

/** Every part of a list, the empty one first. */
function subsets<Item>(items: readonly Item[]): Item[][] {
  const sets: Item[][] = [[]]
  for (const item of items) sets.push(...sets.map((set) => [...set, item]))
  return sets
}

const tokens = subsets(SCOPES).flatMap((scopes) =>
  CLIENTS.flatMap((clientId) =>
    POOLS.map(
      (userPoolId) => ({ clientId, userPoolId, scopes: new Set(scopes) }) as never as VerifiedToken,
    ),
  ),
)

/** All that compiles: no scopes, all of some, any of some; any client, or some. */
const requirements = [
  {},
  ...subsets(SCOPES)
    .slice(1)
    .flatMap((some) => [{ scopes: some }, { scopes: { anyOf: some } }]),
].flatMap((scopes) => [
  compileRequirement(scopes, 'r'),
  ...subsets(CLIENTS.slice(0, 2))
    .slice(1)
    .flatMap((clientId) => [
      compileRequirement({ ...scopes, clientId }, 'r'),
      compileRequirement({ ...scopes, clientId, userPoolId: 'p' }, 'r'),
    ]),
  compileRequirement({ ...scopes, userPoolId: 'q' }, 'r'),
])

const label = ({ allOf, anyOf, clientIds, userPoolIds }: CompiledRequirement): string =>
  JSON.stringify([allOf, anyOf, clientIds && [...clientIds], userPoolIds && [...userPoolIds]])

/** The definition itself. */
const holds = (strict: CompiledRequirement, loose: CompiledRequirement): boolean =>
  tokens.every((token) => !isSatisfiedBy(token, strict) || isSatisfiedBy(token, loose))

function* pairs(): Generator<[CompiledRequirement, CompiledRequirement]> {
  for (const strict of requirements) for (const loose of requirements) yield [strict, loose]
}

t.test('a yes is true of every token there can be', async (t) => {
  const wrong = [...pairs()].filter(([a, b]) => implies(a, b) && !holds(a, b))
  t.equal(tokens.length, 48)
  t.equal(requirements.length, 120)
  t.strictSame(
    wrong.map((pair) => pair.map(label)),
    [],
  )
})

t.test('a no is true too, but for any-of-one, which is all-of-one', async (t) => {
  const missed = [...pairs()].filter(([a, b]) => !implies(a, b) && holds(a, b))
  const others = missed.filter(([strict]) => strict.anyOf.length !== 1)
  t.strictSame(
    others.map((pair) => pair.map(label)),
    [],
  )
})

t.test('each implies itself, and what it implies implies further', async (t) => {
  for (const it of requirements) t.ok(implies(it, it), label(it))
  const broken = [...pairs()]
    .filter(([a, b]) => implies(a, b))
    .flatMap(([a, b]) =>
      requirements.filter((c) => implies(b, c) && !implies(a, c)).map((c) => [a, b, c]),
    )
  t.strictSame(
    broken.map((three) => three.map(label)),
    [],
  )
})

const compile = (value: object) => compileRequirement(value, 'r')
const cases: [string, object, object, boolean][] = [
  ['anything is as strict as nothing', { scopes: 'a/x', clientId: 'c' }, {}, true],
  ['nothing is as strict as nothing', {}, {}, true],
  ['nothing is less than a scope', {}, { scopes: 'a/x' }, false],
  ['nothing is less than a client', {}, { clientId: 'c' }, false],
  ['no requirement is less strict than anyOf', {}, { scopes: { anyOf: ['a/x'] } }, false],
  ['more scopes are as strict as fewer', { scopes: ['a/x', 'a/y'] }, { scopes: 'a/y' }, true],
  ['fewer are less than more', { scopes: 'a/y' }, { scopes: ['a/x', 'a/y'] }, false],
  [
    'a required scope is as strict as anyOf with this scope',
    { scopes: 'a/x' },
    { scopes: { anyOf: ['a/x', 'a/y'] } },
    true,
  ],
  ['another is not', { scopes: 'a/z' }, { scopes: { anyOf: ['a/x', 'a/y'] } }, false],
  [
    'anyOf is as strict as a longer anyOf with the same scopes',
    { scopes: { anyOf: ['a/x', 'a/y'] } },
    { scopes: { anyOf: ['a/y', 'a/z', 'a/x'] } },
    true,
  ],
  [
    'any of more is less than any of few',
    { scopes: { anyOf: ['a/x', 'a/z'] } },
    { scopes: { anyOf: ['a/x', 'a/y'] } },
    false,
  ],
  [
    'any of some is less than one of them',
    { scopes: { anyOf: ['a/x', 'a/y'] } },
    { scopes: 'a/x' },
    false,
  ],
  ['fewer clients are as strict as more', { clientId: 'c' }, { clientId: ['d', 'c'] }, true],
  ['more are less than fewer', { clientId: ['c', 'd'] }, { clientId: 'c' }, false],
  ['fewer pools are as strict as more', { userPoolId: 'p' }, { userPoolId: ['q', 'p'] }, true],
  ['more pools are less than fewer', { userPoolId: ['p', 'q'] }, { userPoolId: 'p' }, false],
  ['any pool is less than one', { scopes: 'a/x' }, { scopes: 'a/x', userPoolId: 'p' }, false],
  ['scopes make up for no client', { scopes: 'a/x' }, { scopes: 'a/x', clientId: 'c' }, false],
  ['a client makes up for no scope', { clientId: 'c' }, { scopes: 'a/x', clientId: 'c' }, false],
  ['a scope in another spelling is another', { scopes: 'a/X' }, { scopes: 'a/x' }, false],
]
for (const [name, strict, loose, expected] of cases) {
  t.test(name, async (t) => t.equal(implies(compile(strict), compile(loose)), expected))
}

t.test('a requirement that no token satisfies is as strict as every other', async (t) => {
  const nobody = { ...compile({}), clientIds: new Set<string>() }
  for (const it of requirements) t.ok(implies(nobody, it), label(it))
  t.notOk(tokens.some((token) => isSatisfiedBy(token, nobody)))
  t.notOk(implies(compile({}), nobody))
  t.notOk(implies(compile({ clientId: 'c' }), nobody))
})

t.test('what is asked of the request has no say: optional and check', async (t) => {
  const check = () => t.fail('asked') as never
  const token = { clientId: 'c', scopes: new Set(['a/x']) } as unknown as VerifiedToken
  t.ok(isSatisfiedBy(token, compile({ scopes: 'a/x', clientId: 'c', check, optional: true })))
  t.notOk(isSatisfiedBy(token, compile({ scopes: 'a/y', check, optional: true })))
  t.ok(implies(compile({ scopes: 'a/x' }), compile({ scopes: 'a/x', check })))
  t.ok(implies(compile({ scopes: 'a/x', optional: true }), compile({ scopes: 'a/x' })))
})
