/** Scope sets: how calls name them, and how many are cached. */
import t from 'tap'
import type { GetTokenOptions } from '../../../src/tokens/client/index.ts'
import { OptionError } from '../../../src/tokens/client/index.ts'
import { setUpClient } from '../../support/client.ts'

t.test('order and duplicates do not matter, omitted and listed differ', async (t) => {
  const { client, world } = setUpClient()
  const sets: readonly GetTokenOptions[] = [
    { scopes: ['a/b', 'a/c'] },
    { scopes: ['a/c', 'a/b'] },
    { scopes: ['a/b', 'a/c', 'a/b'] },
  ]
  const tokens = await Promise.all(sets.map((options) => client.getToken(options)))
  t.equal(new Set(tokens).size, 1)
  t.equal(world.requests.length, 1)
  const one = await client.getToken({ scopes: ['a/b'] })
  t.equal(await client.getToken({ scopes: 'a/b' }), one)
  t.equal(await client.getToken({ scopes: ['a/b', 'a/b'] }), one)
  const all = await client.getToken()
  t.equal(await client.getToken({}), all)
  t.equal(new Set([tokens[0], one, all]).size, 3)
  t.strictSame(
    world.requests.map(({ form }) => form.get('scope')),
    ['a/b a/c', 'a/b', null],
  )
})

t.test('calls without scopes use the scopes of the client', async (t) => {
  const { client, world } = setUpClient({ scopes: ['a/c', 'a/b'] })
  const own = await client.getToken()
  t.equal(await client.getToken({ scopes: ['a/b', 'a/c'] }), own)
  t.equal(world.requests[0]?.form.get('scope'), 'a/b a/c')
  t.equal(world.requests.length, 1)
})

t.test('invalid scopes are rejected, whether cached or not', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken({ scopes: 'a/b' })
  await client.getToken({ scopes: ['a/b', 'a/c'] })
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [{ scopes: [] }, 'scopes', /expected 1 to 50 scopes, got 0/],
    [
      { scopes: Array.from({ length: 51 }, (_, i) => `a/${i}`) },
      'scopes',
      /expected 1 to 50 scopes, got 51/,
    ],
    [{ scopes: 'a/b a/c' }, 'scopes', /one scope without spaces/],
    [{ scopes: ['a/b', 'c'] }, 'scopes[1]', /identifier\/name/],
    [{ scopes: [''] }, 'scopes[0]', /identifier\/name/],
    [{ scopes: [['a/b']] }, 'scopes[0]', /a scope as a string, got an array/],
    [{ scopes: 'a/b\na/c' }, 'scopes', /one scope without spaces/],
    [{ scopes: ['a/b\na/c'] }, 'scopes[0]', /one scope without spaces/],
    [{ scopes: 7 }, 'scopes', /a scope as a string, got 7/],
    [{ scopes: undefined }, 'scopes', /got undefined/],
    [{ scope: 'a/b' }, 'scope', /expected one of scopes, .*, got an unknown name/],
    [{ scopes: 'a/b', audience: 'x' }, 'audience', /got an unknown name/],
    [null, 'options', /expected a plain object, got null/],
    ['a/b', 'options', /expected a plain object, got "a\/b"/],
  ]
  for (const [options, option, problem] of cases) {
    const error = await client.getToken(options as GetTokenOptions).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(error instanceof OptionError, JSON.stringify(options))
    t.match(error, { code: 'ERR_OPTION_INVALID', option, problem })
  }
  t.equal(world.requests.length, 2)
})

t.test(
  '64 scope sets are cached; the least recently used is evicted, never the default',
  async (t) => {
    const { client, world } = setUpClient({ scopes: 'own/own' })
    const own = await client.getToken()
    for (let set = 0; set < 63; set += 1) {
      world.pass(1)
      await client.getToken({ scopes: `a/${set}` })
    }
    world.pass(1)
    const first = await client.getToken({ scopes: 'a/0' })
    t.equal(world.requests.length, 64)
    world.pass(1)
    await client.getToken({ scopes: 'a/63' })
    t.equal(world.requests.length, 65)
    t.equal(await client.getToken({ scopes: 'a/0' }), first, 'used since')
    t.equal(await client.getToken(), own)
    t.equal(world.requests.length, 65)
    await client.getToken({ scopes: 'a/1' })
    t.equal(world.requests.length, 66, 'a/1 had gone')
  },
)

t.test('any number of spellings of a scope set is accepted', async (t) => {
  const { client, world } = setUpClient()
  const token = await client.getToken({ scopes: ['a/b', 'a/c'] })
  for (let copies = 1; copies < 40; copies += 1) {
    for (let more = 1; more < 10; more += 1) {
      const scopes = [...Array(copies).fill('a/b'), ...Array(more).fill('a/c')]
      t.equal(await client.getToken({ scopes }), token)
    }
  }
  t.equal(world.requests.length, 1)
})
