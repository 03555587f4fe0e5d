/** Contract violations found so far: each fails until the source is mended, then moves to its file. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { readOptions } from '../../src/core/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import type { ResourceServer, VerifiedToken } from '../../src/index.ts'
import { CLIENT, jwk, machineToken, outcome, POOL, refusal, serve } from './forge.ts'

const authorization = `Bearer ${machineToken()}`
const POOL_OPTIONS = { userPoolId: POOL, clientId: CLIENT }
type Change = (set: unknown, method: unknown, args: unknown[]) => unknown
const invalid = { code: 'ERR_OPTION_INVALID' }

t.test('1. a requirement that is no plain object is refused, not read as {}', async (t) => {
  class Requirement {
    get scopes() {
      return 'orders/admin'
    }
  }
  const slips = {
    'a forgotten await': Promise.resolve({ scopes: 'orders/admin' }),
    'a Map': new Map([['scopes', 'orders/admin']]),
    'members that are inherited': Object.create({ scopes: 'orders/admin' }),
    'a class with getters': new Requirement(),
    'a Date': new Date(0),
  }
  for (const [slip, requirement] of Object.entries(slips)) {
    t.throws(() => compileRequirement(requirement, 'route'), invalid, slip)
  }
})

t.test('2. options that are inherited are refused, not left out', async (t) => {
  const inherited = Object.assign(Object.create({ check: () => false }), POOL_OPTIONS)
  t.throws(() => readOptions(inherited), invalid)
})

t.test('3. nothing reachable from a token changes its scopes', async (t) => {
  const { scopes } = (await serve().guard()(authorization)) as VerifiedToken
  const { constructor: made } = scopes as unknown as { constructor: { read?: Change } }
  t.equal(made.read, undefined)
  try {
    made.read?.(scopes, Set.prototype.add, ['orders/admin'])
  } catch {
    // Refusing is as good as not being there.
  }
  t.equal(scopes.has('orders/admin'), false)
})

t.test('4. a number that is null is refused, not read as the default', async (t) => {
  const cases = [
    { clockTolerance: null },
    { maxTokenLength: null },
    { clientCache: { allow: null } },
  ]
  for (const options of [...cases, { keyStore: { maxStale: null } }]) {
    t.throws(() => readOptions({ ...POOL_OPTIONS, ...options }), invalid)
  }
})

t.test('5. lists with holes are refused like undefined members', async (t) => {
  t.throws(() => readOptions({ userPools: new Array(1) }), invalid)
  t.throws(() => compileRequirement({ scopes: new Array(1) }, 'route'), invalid)
})

t.test('6. a message is one line and names the option as it is called', async (t) => {
  const read = (options: object) => () => readOptions({ ...POOL_OPTIONS, ...options })
  t.throws(read({ 'a\r\nb': 1 }), { message: /^[^\r\n]*$/ })
  t.throws(read({ issuer: 'https://id.example', jwksUri: 5 }), {
    option: 'jwksUri',
    message: /pass the URL/,
  })
  t.throws(read({ issuer: 'http://me:secret@id.example' }), { message: /^(?!.*secret)/ })
})

t.test('7. an async logger that rejects harms nobody', async (t) => {
  const unhandled: unknown[] = []
  const listen = (reason: unknown) => unhandled.push(reason)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen)
  t.teardown(() => {
    process.removeListener('unhandledRejection', listen)
    for (const other of others) process.on('unhandledRejection', other)
  })
  const fails = async () => {
    throw new Error('disk full')
  }
  serve({ userPoolId: 'xx-local-1_A', logger: { info: fails, warn: fails, error: fails } })
  for (let turn = 0; turn < 3; turn += 1) await setImmediate()
  t.strictSame(unhandled, [])
})

t.test('8. a thrown error is never asked for anything that can throw in turn', async (t) => {
  const hostile = Object.defineProperty(new Error('x'), 'constructor', {
    get: () => {
      throw new Error('secret')
    },
  })
  for (const thrown of [hostile, Object.assign(new Error('x'), { constructor: undefined })]) {
    const check = () => {
      throw thrown
    }
    const { cause } = await refusal(serve({ check }).guard(), authorization)
    t.match(cause, { name: 'NoDecisionError', code: 'ERR_DECISION_FAILED' })
  }
})

/** What a guard says, and how often it asked its key endpoint: at 20 times the server is closed. */
async function asks(options: object): Promise<{ answer: string; fetches: number }> {
  let fetches = 0
  const fetch = async () => {
    fetches += 1
    await setImmediate()
    return Response.json({ keys: [jwk()] })
  }
  const server: ResourceServer = serve({ jwks: undefined, fetch, ...options })
  const decided = outcome(server.guard(), authorization)
  let waiting = true
  decided.finally(() => {
    waiting = false
  })
  while (waiting && fetches < 20) await setImmediate()
  server.close()
  return { answer: await decided, fetches }
}

t.test('9. keys that are never fresh enough end in a 503, not in fetching for ever', async (t) => {
  const { answer, fetches } = await asks({ keyStore: { maxStale: 0.001 } })
  t.equal(answer, 'ERR_KEYS_UNAVAILABLE')
  t.ok(fetches < 5, `${fetches} fetches for one request`)
})

t.test('10. a monotonic clock that answers NaN refuses, and does not fetch for ever', async (t) => {
  const { answer, fetches } = await asks({ monotonicNow: () => Number.NaN })
  t.equal(answer, 'ERR_KEYS_UNAVAILABLE')
  t.ok(fetches < 5, `${fetches} fetches for one request`)
})
