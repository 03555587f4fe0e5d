/** Which token a caller means, however it is written, and how many are held. */
import t from 'tap'
import type { GetTokenOptions } from '../../../src/tokens/client/index.ts'
import { OptionError } from '../../../src/tokens/client/index.ts'
import { stage } from '../../support/client.ts'

t.test('order and duplicates do not matter, omitted and listed differ', async (t) => {
  const { client, world } = stage()
  const sets: readonly GetTokenOptions[] = [
    { scopes: ['a/b', 'a/c'] },
    { scopes: ['a/c', 'a/b'] },
    { scopes: ['a/b', 'a/c', 'a/b'] },
  ]
  const tokens = await Promise.all(sets.map((options) => client.getToken(options)))
  t.equal(new Set(tokens).size, 1)
  t.equal(world.asked.length, 1)
  const one = await client.getToken({ scopes: ['a/b'] })
  t.equal(await client.getToken({ scopes: 'a/b' }), one)
  t.equal(await client.getToken({ scopes: ['a/b', 'a/b'] }), one)
  const all = await client.getToken()
  t.equal(await client.getToken({}), all)
  t.equal(new Set([tokens[0], one, all]).size, 3)
  t.strictSame(
    world.asked.map(({ form }) => form.get('scope')),
    ['a/b a/c', 'a/b', null],
  )
})

t.test("the client's own scopes are meant where none are named", async (t) => {
  const { client, world } = stage({ scopes: ['a/c', 'a/b'] })
  const own = await client.getToken()
  t.equal(await client.getToken({ scopes: ['a/b', 'a/c'] }), own)
  t.equal(world.asked[0]?.form.get('scope'), 'a/b a/c')
  t.equal(world.asked.length, 1)
})

t.test('what names no scopes is refused, known or not', async (t) => {
  const { client, world } = stage()
  await client.getToken({ scopes: 'a/b' })
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
  t.equal(world.asked.length, 1)
})

t.test(
  'sixty-four sets are held; the one unused the longest goes, never the default',
  async (t) => {
    const { client, world } = stage({ scopes: 'own/own' })
    const own = await client.getToken()
    for (let set = 0; set < 63; set += 1) {
      world.pass(1)
      await client.getToken({ scopes: `a/${set}` })
    }
    world.pass(1)
    const first = await client.getToken({ scopes: 'a/0' })
    t.equal(world.asked.length, 64)
    world.pass(1)
    await client.getToken({ scopes: 'a/63' })
    t.equal(world.asked.length, 65)
    t.equal(await client.getToken({ scopes: 'a/0' }), first, 'used since')
    t.equal(await client.getToken(), own)
    t.equal(world.asked.length, 65)
    await client.getToken({ scopes: 'a/1' })
    t.equal(world.asked.length, 66, 'a/1 had gone')
  },
)

t.test('any number of spellings is understood', async (t) => {
  const { client, world } = stage()
  const token = await client.getToken({ scopes: ['a/b', 'a/c'] })
  for (let copies = 1; copies < 40; copies += 1) {
    for (let more = 1; more < 10; more += 1) {
      const scopes = [...Array(copies).fill('a/b'), ...Array(more).fill('a/c')]
      t.equal(await client.getToken({ scopes }), token)
    }
  }
  t.equal(world.asked.length, 1)
})
