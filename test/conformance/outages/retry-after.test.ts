/** Retry-After of a failing endpoint, over every surface: honored, and at most a minute. */
import t from 'tap'
import { type Clocks, SECOND } from '../../support/key-endpoint.ts'
import { pairsOf, sample } from '../../support/sample.ts'
import { familyOf, surfaces } from '../behavior/surfaces.ts'
import { status } from './endpoint-responses.ts'
import { expectServed, expectUnavailable } from './expected-responses.ts'
import { openStage } from './surface-fixture.ts'

interface Asked {
  readonly name: string
  /** Of the endpoint's answer. */
  readonly value: string | ((clocks: Clocks) => string)
  /** Retry-After of the response in seconds; 1 is the first backoff step. */
  readonly wait: number
}

const inSeconds =
  (seconds: number) =>
  ({ wall }: Clocks): string =>
    new Date(wall + seconds * SECOND).toUTCString()

const asked: readonly Asked[] = [
  { name: 'seconds', value: '7', wait: 7 },
  { name: 'a minute', value: '60', wait: 60 },
  { name: 'a second more than a minute', value: '61', wait: 60 },
  { name: 'zero', value: '0', wait: 1 },
  { name: 'a negative number', value: '-5', wait: 1 },
  { name: 'a fraction', value: '1.5', wait: 1 },
  { name: 'thirty years', value: '1000000000', wait: 60 },
  { name: 'an exponent', value: '1e9', wait: 1 },
  { name: '400 digits', value: '9'.repeat(400), wait: 60 },
  { name: 'hexadecimal', value: '0x10', wait: 1 },
  { name: 'infinity', value: 'Infinity', wait: 1 },
  { name: 'words', value: 'soon', wait: 1 },
  { name: 'several values', value: '5, 10', wait: 1 },
  { name: 'nothing', value: '', wait: 1 },
  { name: 'blanks', value: '   ', wait: 1 },
  { name: 'a date', value: inSeconds(9), wait: 9 },
  { name: 'this very moment', value: inSeconds(0), wait: 1 },
  { name: 'a date tomorrow', value: inSeconds(86_400), wait: 60 },
  { name: 'a date long past', value: 'Sun, 06 Nov 1994 08:49:37 GMT', wait: 1 },
  { name: 'a date in the year 9999', value: 'Fri, 31 Dec 9999 23:59:59 GMT', wait: 60 },
  { name: 'a date that does not exist', value: 'Fri, 99 Foo 2024 25:61:61 GMT', wait: 1 },
]

for (const [code, rows] of [
  [503, asked],
  [429, asked.slice(0, 3)],
] as const) {
  t.test(`${code} with Retry-After: honored, from 1 to 60 seconds`, async (t) => {
    const all = surfaces.flatMap((surface) => rows.map((row) => ({ surface, row })))
    const cells = sample(`Retry-After: ${code}`, all, ({ surface, row }) => [
      surface.name,
      ...pairsOf([familyOf(surface), row.name]),
    ])
    t.jobs = surfaces.length
    for (const surface of surfaces) {
      t.test(surface.name, async (t) => {
        const cellsHere = cells.filter((cell) => cell.surface === surface)
        for (const { name, value, wait } of cellsHere.map(({ row }) => row)) {
          const stage = await openStage(t, surface, {
            prepare: (pool, clocks) => {
              const text = typeof value === 'string' ? value : value(clocks)
              return pool.setJwksFault(status(code, { 'retry-after': text }))
            },
          })
          const token = stage.pool.accessToken()
          const answer = await stage.ask(token)
          t.equal(expectUnavailable(t, surface, stage, answer), wait, name)
          await stage.pool.setJwksFault(null)
          stage.clocks.advance(wait * SECOND - 1)
          expectUnavailable(t, surface, stage, await stage.ask(token))
          t.equal(stage.pool.jwksRequests, 1, 'not asked a millisecond early')
          stage.clocks.advance(1)
          expectServed(t, await stage.ask(token), name)
        }
      })
    }
  })
}
