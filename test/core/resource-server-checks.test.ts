import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { HookError } from '../../src/core/hooks.ts'
import type { ResourceServer, VerifiedToken } from '../../src/index.ts'
import { CLIENT, machineToken, outcome, refusal, serve } from '../support/forge.ts'

const authorization = `Bearer ${machineToken()}`

/** The three hooks: the check of the server, the check of the route, and the client lookup. */
const questions: [string, (question: () => unknown) => ReturnType<ResourceServer['guard']>][] = [
  ['lookup', (clientId) => serve({ clientId }).guard()],
  ['server check', (check) => serve({ check }).guard()],
  ['route check', (check) => serve().guard({ check: check as never })],
]

for (const [name, guarding] of questions) {
  const denied = name === 'lookup' ? 'ERR_CLIENT_NOT_ALLOWED' : 'ERR_ACCESS_DENIED'

  t.test(`${name}: only true passes`, async (t) => {
    t.equal(
      await outcome(
        guarding(() => true),
        authorization,
      ),
      'accepted',
    )
    t.equal(
      await outcome(
        guarding(async () => true),
        authorization,
      ),
      'accepted',
    )
    const truthy = [1, 'true', {}, [], { allowed: true }, () => true, new Boolean(true)]
    for (const answer of [...truthy, false, 0, null, undefined, '']) {
      t.equal(
        await outcome(
          guarding(() => answer),
          authorization,
        ),
        denied,
      )
      t.equal(
        await outcome(
          guarding(async () => answer),
          authorization,
        ),
        denied,
      )
    }
  })

  t.test(`${name}: throwing and rejecting is a 503 that quotes nothing`, async (t) => {
    const thrown = Object.assign(new TypeError('secret'), { code: 'SECRET', query: 'secret' })
    const throws = () => {
      throw thrown
    }
    for (const question of [throws, async () => throws(), () => Promise.reject('secret')]) {
      const refused = await refusal(guarding(question), authorization)
      t.match(refused, { code: 'ERR_CHECK_UNAVAILABLE', statusCode: 503 })
      t.strictSame(refused.headers, { 'cache-control': 'no-store', 'retry-after': '1' })
      const { cause } = refused
      t.ok(cause instanceof HookError)
      t.match(cause, { code: 'ERR_DECISION_FAILED', cause: undefined })
      t.notMatch(`${(cause as Error).stack}${JSON.stringify([cause, refused])}`, /secret/i)
    }
  })

  t.test(`${name}: taking over 3 seconds is a 503`, async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    let state = 'waiting'
    const decided = refusal(
      guarding(() => new Promise(() => {})),
      authorization,
    )
    decided.then(({ code }) => {
      state = code
    })
    await setImmediate()
    mock.timers.tick(2999)
    await setImmediate()
    t.equal(state, 'waiting')
    mock.timers.tick(1)
    const refused = await decided
    t.match(refused, { code: 'ERR_CHECK_UNAVAILABLE', headers: { 'retry-after': '1' } })
    t.match(refused.cause, { code: 'ERR_DECISION_TIMEOUT' })
  })
}

t.test('both checks run on every request, server first, route second', async (t) => {
  const seen: unknown[] = []
  const server = serve({
    check: (...args: unknown[]) => {
      seen.push(['server', ...args])
      return true
    },
  })
  const guard = server.guard({
    check: (token: VerifiedToken, request: unknown) => {
      seen.push(['route', token, request])
      return true
    },
  })
  const request = { url: '/orders' }
  const tokens: VerifiedToken[] = []
  for (let count = 0; count < 3; count += 1) tokens.push(await guard(authorization, request))
  const [first, second, third] = tokens
  t.strictSame(
    seen,
    [first, second, third].flatMap((token) => [
      ['server', token],
      ['route', token, request],
    ]),
  )
  t.equal((seen[1] as unknown[])[2], request, 'the very request')
  t.equal((seen[0] as unknown[])[1], first, 'the very token the handler gets')
})

t.test('a denial of the server check skips the check of the route', async (t) => {
  const check = () => {
    t.fail('asked')
    return true
  }
  t.equal(
    await outcome(serve({ check: () => false }).guard({ check }), authorization),
    'ERR_ACCESS_DENIED',
  )
})

t.test('a check cannot change what the next one and the handler see', async (t) => {
  const check = (token: VerifiedToken) => {
    t.throws(() => Object.assign(token, { clientId: 'other' }), TypeError)
    t.throws(() => Object.assign(token.claims, { scope: 'admin/all' }), TypeError)
    t.throws(() => Set.prototype.add.call(token.scopes, 'admin/all'), TypeError)
    return true
  }
  const token = await serve({ check }).guard({ check })(authorization)
  t.equal(token.clientId, CLIENT)
  t.strictSame([...token.scopes], ['orders/read', 'orders/write'])
})

/** A server with a lookup per client, and the clock that ages its results. */
function looking(answers: Record<string, boolean>, clientCache?: object) {
  const asked: string[] = []
  const clock = { now: 0 }
  const clientId = async (id: string) => {
    asked.push(id)
    return answers[id]
  }
  const guard = serve({ clientId, clientCache, monotonicNow: () => clock.now }).guard()
  const as = (id: string) => outcome(guard, `Bearer ${machineToken({ sub: id, client_id: id })}`)
  return { answers, asked, clock, as }
}

t.test('a lookup is asked once in 60 seconds for a yes and in 10 for a no', async (t) => {
  const { answers, asked, clock, as } = looking({ good: true, bad: false })
  t.strictSame(await Promise.all([as('good'), as('good'), as('bad')]), [
    ...['accepted', 'accepted', 'ERR_CLIENT_NOT_ALLOWED'],
  ])
  t.strictSame(asked.splice(0), ['good', 'bad'])
  Object.assign(answers, { good: false, bad: true })
  clock.now = 9999
  t.strictSame([await as('good'), await as('bad')], ['accepted', 'ERR_CLIENT_NOT_ALLOWED'])
  t.strictSame(asked, [])
  clock.now = 10_000
  t.strictSame([await as('good'), await as('bad')], ['accepted', 'accepted'])
  clock.now = 60_000
  t.strictSame([await as('good'), await as('bad')], ['ERR_CLIENT_NOT_ALLOWED', 'accepted'])
  t.strictSame(asked, ['bad', 'good'])
})

t.test('clientCache sets how long, in seconds', async (t) => {
  const { asked, clock, as } = looking({ good: true }, { allow: 2, deny: 0 })
  await as('good')
  await as('bad')
  await as('bad')
  clock.now = 1999
  await as('good')
  t.strictSame(asked, ['good', 'bad', 'bad'])
  clock.now = 2000
  await as('good')
  t.equal(asked.length, 4)
})

t.test('a monotonic clock that steps back extends no answer', async (t) => {
  const { answers, clock, as } = looking({ good: true })
  clock.now = 30_000
  await as('good')
  answers['good'] = false
  clock.now = 0
  t.equal(await as('good'), 'accepted')
  clock.now = 60_000
  t.equal(await as('good'), 'ERR_CLIENT_NOT_ALLOWED')
})

t.test('checks are called unbound', async (t) => {
  const bound: unknown[] = []
  function check(this: unknown): boolean {
    bound.push(this)
    return true
  }
  const guard = serve({ check }).guard({ check })
  await guard(authorization)
  t.strictSame(bound, [undefined, undefined])
})
