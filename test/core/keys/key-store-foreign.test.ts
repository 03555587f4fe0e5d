/** Keys that declare they are not for RS256 signatures count as absent: 401, where a bad key is 503. */
import t from 'tap'
import { createResourceServer } from '../../../src/index.ts'
import {
  type Changes,
  CLIENT,
  jwk,
  keyPair,
  label,
  machineToken,
  NOW,
  outcome,
  POOL,
} from '../../support/forge.ts'

const UNKNOWN = 'ERR_KEY_UNKNOWN'
const UNAVAILABLE = 'ERR_KEYS_UNAVAILABLE'
const P256 = {
  kty: 'EC',
  crv: 'P-256',
  n: undefined,
  e: undefined,
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

/** A key of the set in addition to the valid key of the pool. */
const foreign: readonly Changes[] = [
  P256,
  { kty: 'oct', k: 'c2VjcmV0' },
  { kty: 'OKP' },
  { kty: 'rsa' },
  { alg: 'RS512' },
  { alg: 'RSA-OAEP' },
  { alg: 'rs256' },
  { use: 'enc' },
  { use: 'Sig' },
  { key_ops: ['sign'] },
  { key_ops: ['encrypt', 'wrapKey'] },
  { key_ops: [] },
  // One declaration is enough, whatever else is wrong with the key.
  { use: 'enc', n: 5 },
  { alg: 'RS384', use: 5 },
]
/** For RS256 as far as is said, and of no use. */
const broken: readonly Changes[] = [
  { e: 'AQ' },
  { n: undefined },
  { n: 'AA' },
  { d: 'AQAB' },
  // Not a declaration, as its type is wrong.
  { use: 5 },
  { use: ['enc'] },
  { use: null },
  { alg: 5 },
  { alg: null },
  { kty: undefined },
  { kty: 5 },
  { key_ops: 'sign' },
  { key_ops: [5] },
  { key_ops: null },
]

const listed = (changes: Changes) => jwk({ kid: 'listed', ...changes }, keyPair('other'))
const token = `Bearer ${machineToken({}, { kid: 'listed' }, keyPair('other'))}`
const good = `Bearer ${machineToken()}`
const pool = { userPoolId: POOL, clientId: CLIENT, now: () => NOW * 1000, monotonicNow: () => 0 }

/** The three ways in which keys are had. */
const sources: Readonly<Record<string, (keys: unknown[]) => object>> = {
  fetched: (keys) => ({ fetch: async () => Response.json({ keys }) }),
  offline: (keys) => ({ jwks: { keys } }),
  initial: (keys) => ({
    jwks: { initial: { keys } },
    fetch: async () => Response.json({ keys }),
  }),
}

for (const [source, optionsOf] of Object.entries(sources)) {
  const answers = async (...keys: unknown[]) => {
    const server = createResourceServer({ ...pool, ...optionsOf(keys) } as never)
    const guard = server.guard()
    try {
      return [await outcome(guard, token), await outcome(guard, good)]
    } finally {
      server.close()
    }
  }

  t.test(`${source}: a token that names a foreign key gets 401`, async (t) => {
    for (const changes of foreign) {
      t.strictSame(await answers(listed(changes), jwk()), [UNKNOWN, 'accepted'], label(changes))
    }
  })

  t.test(`${source}: a token that names a key that should be for RS256 gets 503`, async (t) => {
    for (const changes of broken) {
      t.strictSame(await answers(listed(changes), jwk()), [UNAVAILABLE, 'accepted'], label(changes))
    }
  })

  t.test(`${source}: of several keys under one kid, foreign ones do not count`, async (t) => {
    const [not, bad, usable] = [listed({ use: 'enc' }), listed({ e: 'AQ' }), listed({})]
    for (const [keys, expected] of [
      [[not, usable], 'accepted'],
      [[usable, not], 'accepted'],
      [[not, bad], UNAVAILABLE],
      [[bad, not], UNAVAILABLE],
      [[not, not], UNKNOWN],
      [[not, bad, usable], 'accepted'],
    ] as const) {
      t.strictSame(await answers(...keys, jwk()), [expected, 'accepted'])
    }
  })
}

t.test('a set of foreign keys alone is a failed fetch, as one without any key', async (t) => {
  const fetch = async () => Response.json({ keys: foreign.map(listed) })
  const server = createResourceServer({ ...pool, fetch } as never)
  t.teardown(() => server.close())
  await server.ready()
  t.match(server.status().userPools, [{ ready: false, lastError: 'ERR_JWKS_NO_USABLE_KEY' }])
  t.equal(await outcome(server.guard(), token), UNAVAILABLE)
  for (const jwks of [{ keys: foreign.map(listed) }, { initial: { keys: foreign.map(listed) } }]) {
    t.throws(() => createResourceServer({ ...pool, jwks } as never), {
      code: 'ERR_OPTION_INVALID',
      message:
        /: expected \{ keys: \[…\] \} with a public RSA key .*, got an object without one\. Pass the JWKS/,
    })
  }
})

t.test('a key that becomes foreign is rejected with 401 from the next refresh on', async (t) => {
  let keys: unknown[] = [listed({}), jwk()]
  let monotonic = 0
  const fetch = async () => Response.json({ keys })
  const clocks = { monotonicNow: () => monotonic, fetch }
  const server = createResourceServer({ ...pool, ...clocks } as never)
  t.teardown(() => server.close())
  await server.ready()
  t.equal(await outcome(server.guard(), token), 'accepted')
  keys = [listed({ use: 'enc' }), jwk()]
  monotonic += 10 * 60_000
  t.equal(await outcome(server.guard(), good), 'accepted')
  t.equal(await outcome(server.guard(), token), UNKNOWN)
})
