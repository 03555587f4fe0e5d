/** One bad entry in a published key set, over every surface: it never spoils the good ones. */
import t from 'tap'
import type { LocalUserPool } from '../../../src/testing/index.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { surfaces, surfacesFor } from '../behavior/surfaces.ts'
import { json } from './endpoint-responses.ts'
import { expectServed, expectUnavailable, poolStatus } from './expected-responses.ts'
import { openStage, type Stage } from './surface-fixture.ts'
import { unusable } from './unusable-keys.ts'

type Key = ReturnType<LocalUserPool['jwks']>['keys'][number]
type Bad = (good: Key) => unknown

/** Seconds keys are trusted here: a day would outlive the tokens. */
const MAX_STALE = 60

const elsewhere = 'another-kid'
const entries: Readonly<Record<string, Bad>> = {
  null: () => null,
  'a number': () => 5,
  'a string': () => 'key',
  true: () => true,
  'an array': (good) => [good],
  'an empty object': () => ({}),
  'a key set': (good) => ({ keys: [good] }),
  'a list 1,000 deep': () => JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`),
  'a modulus of 200,000 characters': (good) => ({
    ...good,
    kid: elsewhere,
    n: '_'.repeat(200_000),
  }),
  'an exponent of 100,000 characters': (good) => ({
    ...good,
    kid: elsewhere,
    e: '_'.repeat(100_000),
  }),
  'a kid that is a list': (good) => ({ ...good, kid: [good.kid] }),
  'a kid that is null': (good) => ({ ...good, kid: null }),
  'a kid like a member of every object': (good) => ({ ...good, kid: '__proto__', e: 'AQ' }),
  ...Object.fromEntries(
    Object.entries(unusable).map(([why, spoil]): [string, Bad] => [
      `under a kid of its own, ${why}`,
      (good) => spoil({ ...good, kid: elsewhere }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(unusable).map(([why, spoil]): [string, Bad] => [
      `under the kid of a good key, ${why}`,
      spoil,
    ]),
  ),
}

/** Publishes a set, lets the keys in force run out, and hands over what a valid token gets. */
async function publish({ pool, clocks, ask }: Stage, keys: readonly unknown[]) {
  await pool.setJwksFault(json({ keys }))
  clocks.advance(MAX_STALE * SECOND + 1)
  return ask()
}

const options = () => ({ keyStore: { maxStale: MAX_STALE } })

for (const [name, bad] of Object.entries(entries)) {
  t.test(`beside ${name}, at every position, the good keys serve`, async (t) => {
    t.jobs = surfaces.length
    for (const surface of surfacesFor(`beside ${name}`)) {
      t.test(surface.name, async (t) => {
        const stage = await openStage(t, surface, { fault: 'empty', options })
        expectUnavailable(t, surface, stage, await stage.ask())
        const good = stage.pool.jwks().keys
        for (let at = 0; at <= good.length; at += 1) {
          const answer = await publish(stage, good.toSpliced(at, 0, bad(good[1] as Key) as Key))
          expectServed(t, answer, `at position ${at}`)
          t.equal(poolStatus(stage).lastError, null)
        }
      })
    }
  })
}

t.test('of two usable keys under one kid the first one counts', async (t) => {
  for (const surface of surfaces) {
    t.test(surface.name, async (t) => {
      const stage = await openStage(t, surface, { fault: 'empty', options })
      const [other, own] = stage.pool.jwks().keys as [Key, Key]
      const impostor = { ...other, kid: own.kid }
      expectServed(t, await publish(stage, [own, impostor]), 'its own key first')
      const refused = { status: 401, code: 'ERR_TOKEN_SIGNATURE' }
      t.match(await publish(stage, [impostor, own]), refused, 'another key first')
      expectServed(t, await publish(stage, [own, own]), 'twice the same')
    })
  }
})

t.test('a token of the bad entry is not judged; of a kid nobody lists, it is', async (t) => {
  for (const surface of surfaces) {
    t.test(surface.name, async (t) => {
      const stage = await openStage(t, surface, { fault: 'empty', options })
      const [other, own] = stage.pool.jwks().keys as [Key, Key]
      expectServed(t, await publish(stage, [{ ...other, kid: elsewhere, e: 'AQ' }, own]), 'good')
      const of = (kid: string) => stage.pool.accessToken({ header: { kid } })
      const unusable = await stage.ask(of(elsewhere))
      expectUnavailable(t, surface, stage, unusable, 'a listed key that cannot be used')
      t.match(await stage.ask(of('unlisted')), { status: 401, code: 'ERR_KEY_UNKNOWN' })
    })
  }
})
