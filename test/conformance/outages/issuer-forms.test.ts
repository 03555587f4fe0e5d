/**
 * Cognito has two issuer forms and a pool uses one. Only unsigned tokens can
 * name the other form. A failing host or blocked egress there must not cause a 5xx of a healthy pool.
 */
import t, { type Test } from 'tap'
import { createTestUserPool } from '../../../src/testing/index.ts'
import { encode, POOL } from '../../support/forge.ts'
import {
  type Answer as Answered,
  Clocks,
  hang,
  KeyEndpoint,
  MINUTE,
  refused,
  settle,
  status,
} from '../../support/key-endpoint.ts'
import { fetchLimit } from '../../support/real-limit.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { CLIENT } from './surface-fixture.ts'
import { isReached, isRefused, onEverySurface } from './surface-proof.ts'

const FORMS = { 'cognito-idp': 'issuer-cognito-idp', 'issuer-cognito-idp': 'cognito-idp' } as const
type Form = keyof typeof FORMS

const foreign: readonly [string, Answered][] = [
  ['403', status(403)],
  ['404', status(404)],
  ['500', status(500)],
  ['refused', refused],
  ['hanging', hang],
]

/** @param used The form the pool issues and publishes under. */
async function openForms(t: Test, surface: Surface, used: Form, answer: Answered) {
  const clocks = new Clocks()
  const limit = fetchLimit()
  const pool = createTestUserPool({
    userPoolId: POOL,
    clients: [{ clientId: CLIENT }],
    now: clocks.now,
  })
  const endpoint = new KeyEndpoint()
    .answer(() => Response.json(pool.jwks()), used)
    .answer(answer, FORMS[used])
  const door = await surface.open({
    userPoolId: POOL,
    clientId: CLIENT,
    fetch: (...request) => {
      const response = endpoint.fetch(...request)
      // A host that hangs runs out of time, and no other.
      if (answer === hang && endpoint.asked.at(-1) === FORMS[used]) {
        limit.shorten()
        limit.lengthen()
      }
      return response
    },
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    keyStore: { fetchTimeout: limit.milliseconds / 1000 },
  })
  t.teardown(() => door.close())
  const token = (form: Form) =>
    pool.accessToken({
      expiresIn: 86_400,
      claims: { iss: `https://${form}.eu-west-1.amazonaws.com/${POOL}` },
    })
  const fetches = (form: Form): number => endpoint.asked.filter((it) => it === form).length
  const ask = (credential: string) => door.ask(`Bearer ${credential}`)
  return { door, clocks, pool, ask, own: token(used), theirs: token(FORMS[used]), fetches }
}

/** Tokens with the issuer form that the pool does not use, made without its keys. */
function createOtherFormTokens(
  token: string,
): [string, string, 'ERR_KEY_UNKNOWN' | 'ERR_TOKEN_INVALID'][] {
  const [, payload, signature] = token.split('.') as [string, string, string]
  const header = encode({ kid: 'unheard-of', alg: 'RS256' })
  return [
    ['signed with anything', `${header}.${payload}.${signature}`, 'ERR_KEY_UNKNOWN'],
    ['signed with garbage', `${header}.${payload}.AAAA`, 'ERR_KEY_UNKNOWN'],
    ['under a kid of the other form', token, 'ERR_KEY_UNKNOWN'],
    ['unsigned', `${header}.${payload}.`, 'ERR_TOKEN_INVALID'],
    ['alg none', `${encode({ alg: 'none' })}.${payload}.`, 'ERR_TOKEN_INVALID'],
  ]
}

for (const [name, answer] of foreign) {
  onEverySurface(
    t,
    `the issuer form a pool does not use is 401 within one fetch, its host ${name}`,
    async (t, surface) => {
      const { ask, own, theirs, fetches, clocks, door } = await openForms(
        t,
        surface,
        'cognito-idp',
        answer,
      )
      isReached(t, await ask(own), 'the form in use')
      t.equal(fetches('issuer-cognito-idp'), 0, 'asked only when a token names it')
      for (const [what, token, code] of createOtherFormTokens(theirs)) {
        isRefused(t, surface, await ask(token), code, what)
      }
      t.equal(fetches('issuer-cognito-idp'), 1)
      isReached(t, await ask(own), 'the form in use')
      for (let minute = 0; minute < 24; minute += 4) {
        clocks.advance(4 * MINUTE)
        isRefused(t, surface, await ask(theirs), 'ERR_KEY_UNKNOWN', `minute ${minute}`)
        isReached(t, await ask(own), 'the form in use')
        await settle()
      }
      t.match(door.server.status(), { ready: true, userPools: [{ lastError: null }] })
      // 403 and 404 are remembered for five minutes, the others for a backoff step.
      const definite = name === '403' || name === '404'
      t.equal(fetches('issuer-cognito-idp'), definite ? 1 + 6 / 2 : 1 + 6)
    },
  )
}

for (const [name, answer] of foreign) {
  onEverySurface(
    t,
    `a pool of the updated form lets its tokens in, the host of the original ${name}`,
    async (t, surface) => {
      const { ask, own, theirs, clocks } = await openForms(t, surface, 'issuer-cognito-idp', answer)
      isReached(t, await ask(own), 'the form in use')
      for (let use = 0; use < 5; use += 1) {
        isRefused(t, surface, await ask(theirs), 'ERR_KEY_UNKNOWN', 'the other form')
        isReached(t, await ask(own), 'the form in use')
        clocks.advance(MINUTE)
      }
    },
  )
}

onEverySurface(
  t,
  'naming the other form postpones neither a removal nor, for longer than a cooldown, a rotation',
  async (t, surface) => {
    const { pool, ask, own, theirs, clocks } = await openForms(
      t,
      surface,
      'cognito-idp',
      status(500),
    )
    isReached(t, await ask(own), 'before')
    pool.rotateKeys()
    for (let second = 0; second < 330; second += 5) {
      await ask(theirs)
      clocks.advance(5000)
    }
    await ask(own)
    await settle()
    isRefused(t, surface, await ask(own), 'ERR_KEY_UNKNOWN', 'the removed key')
    pool.rotateKeys({ keepOld: true })
    const iss = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`
    for (let second = 0; second < 5; second += 1) {
      await ask(theirs)
      clocks.advance(1000)
    }
    isReached(t, await ask(pool.accessToken({ claims: { iss } })), 'a new key')
  },
)

onEverySurface(
  t,
  'tokens of a replica are let in by regions, and judged while its endpoint fails or is absent',
  async (t, surface) => {
    const clocks = new Clocks()
    const options = { userPoolId: POOL, clients: [{ clientId: CLIENT }], now: clocks.now }
    const pool = createTestUserPool({ ...options, regions: ['us-west-2', 'eu-west-2'] })
    const asked: string[] = []
    let failing = true
    const fetch: typeof globalThis.fetch = async (input) => {
      const { hostname } = new URL(String(input))
      asked.push(hostname)
      if (hostname === 'cognito-idp.us-west-2.amazonaws.com' && failing) return status(500)()
      return hostname.includes('eu-west-2') ? status(404)() : Response.json(pool.jwks())
    }
    const door = await surface.open({
      userPoolId: POOL,
      clientId: CLIENT,
      regions: ['us-west-2', 'eu-west-2'],
      fetch,
      now: clocks.now,
      monotonicNow: clocks.monotonicNow,
    })
    t.teardown(() => door.close())
    const [own, , replica, , absent] = pool.issuers.map((iss) =>
      pool.accessToken({ expiresIn: 86_400, claims: { iss } }),
    ) as [string, string, string, string, string]
    const ask = (credential: string) => door.ask(`Bearer ${credential}`)
    isReached(t, await ask(own), 'the own Region')
    t.strictSame(asked, ['cognito-idp.eu-west-1.amazonaws.com'])
    isRefused(t, surface, await ask(replica), 'ERR_KEYS_UNAVAILABLE', 'the endpoint fails')
    isRefused(t, surface, await ask(absent), 'ERR_KEY_UNKNOWN', 'the endpoint says it has none')
    isReached(t, await ask(own), 'the own Region')
    failing = false
    clocks.advance(1000)
    isReached(t, await ask(replica), 'the replica')
    isReached(t, await ask(replica), 'the replica, known')
    t.strictSame(asked.slice(1), [
      'cognito-idp.us-west-2.amazonaws.com',
      'cognito-idp.eu-west-2.amazonaws.com',
      'cognito-idp.us-west-2.amazonaws.com',
    ])
    t.match(door.server.status(), { ready: true, userPools: [{ lastError: null }] })
  },
)
