import t from 'tap'
import type { AuthErrorCode } from '../../src/index.ts'
import { type Changes, CLIENT, keyPair, machineToken, NOW, outcome, serve } from './forge.ts'

/** One thing that is wrong with a request, in the order the contract checks them. */
interface Fault {
  readonly name: string
  readonly code: AuthErrorCode
  readonly claims?: Changes
  readonly header?: Changes
  readonly options?: Changes
  readonly requirement?: Changes
  /** What becomes of the header value at the end. */
  readonly send?: (authorization: string) => string | string[]
}

const called: string[] = []
const says = (name: string, answer: unknown) => () => {
  called.push(name)
  if (answer instanceof Error) throw answer
  return answer
}
const MAX = 1100

const faults: readonly Fault[] = [
  { name: 'two credentials', code: 'ERR_REQUEST_INVALID', send: (it) => [it, it] },
  { name: 'too long', code: 'ERR_TOKEN_INVALID', claims: { filler: 'x'.repeat(MAX) } },
  { name: 'more than a token', code: 'ERR_REQUEST_INVALID', send: (it) => `${it} x` },
  { name: 'crit', code: 'ERR_TOKEN_INVALID', header: { crit: ['exp'] } },
  { name: 'another issuer', code: 'ERR_TOKEN_ISSUER', claims: { iss: 'https://id.example' } },
  { name: 'an ID token', code: 'ERR_TOKEN_USE', claims: { token_use: 'id' } },
  { name: 'a scope of the wrong type', code: 'ERR_TOKEN_INVALID', claims: { scope: ['a/x'] } },
  { name: 'a user', code: 'ERR_TOKEN_USE', claims: { username: 'a-user' } },
  { name: 'expired', code: 'ERR_TOKEN_EXPIRED', claims: { exp: NOW - 60 } },
  { name: 'not active', code: 'ERR_TOKEN_NOT_ACTIVE', claims: { nbf: NOW + 60 } },
  { name: 'not on the list', code: 'ERR_CLIENT_NOT_ALLOWED', options: { clientId: 'other' } },
  { name: 'an unknown kid', code: 'ERR_KEY_UNKNOWN', header: { kid: 'other' } },
  { name: 'a bad signature', code: 'ERR_TOKEN_SIGNATURE' },
  {
    name: 'refused by the lookup',
    code: 'ERR_CLIENT_NOT_ALLOWED',
    options: { clientId: says('lookup', false) },
  },
  {
    name: 'without the scope',
    code: 'ERR_SCOPE_INSUFFICIENT',
    requirement: { scopes: 'orders/admin' },
  },
  {
    name: "not the route's client",
    code: 'ERR_ACCESS_DENIED',
    requirement: { clientId: 'other' },
  },
  {
    name: 'without a decision of the server check',
    code: 'ERR_CHECK_UNAVAILABLE',
    options: { check: says('server check', new Error('down')) },
  },
  {
    name: 'refused by the route check',
    code: 'ERR_ACCESS_DENIED',
    requirement: { check: says('route check', false) },
  },
]
const SIGNATURE = faults.findIndex(({ name }) => name === 'a bad signature')

/** Decides on a request with these faults; everything of the owner's says yes otherwise. */
async function decide(...present: readonly Fault[]): Promise<string> {
  called.length = 0
  const merged = (part: 'claims' | 'header' | 'options' | 'requirement'): Changes =>
    Object.assign({}, ...present.map((fault) => fault[part]))
  const pair = keyPair(present.some(({ name }) => name === 'a bad signature') ? 'other' : 'access')
  const owner = { clientId: says('lookup', true), check: says('server check', true) }
  const guard = serve({ ...owner, maxTokenLength: MAX, ...merged('options') }).guard({
    scopes: 'orders/read',
    clientId: CLIENT,
    check: says('route check', true),
    ...merged('requirement'),
  } as never)
  let authorization: string | string[] =
    `Bearer ${machineToken(merged('claims'), merged('header'), pair)}`
  for (const { send } of [...present].reverse()) {
    if (send !== undefined) authorization = send(authorization as string)
  }
  return outcome(guard, authorization)
}

t.test('without a fault the owner is asked: lookup, server check, route check', async (t) => {
  t.equal(await decide(), 'accepted')
  t.strictSame(called, ['lookup', 'server check', 'route check'])
})

for (const [index, fault] of faults.entries()) {
  t.test(`a request ${fault.name} gets ${fault.code}`, async (t) => {
    t.equal(await decide(fault), fault.code)
    const asked = ['lookup', 'server check', 'route check']
    if (index <= SIGNATURE) t.strictSame(called, [], 'nothing of the owner is asked')
    else t.ok(called.length < asked.length || fault.name === 'refused by the route check')
    t.strictSame(called, asked.slice(0, called.length))
  })
}

t.test('of two faults the one checked earlier answers', async (t) => {
  let pairs = 0
  for (const [index, earlier] of faults.entries()) {
    for (const later of faults.slice(index + 1)) {
      // One pool has a list or a lookup; two credentials are two whatever they look like.
      if (earlier.options?.['clientId'] !== undefined && later.options?.['clientId'] !== undefined)
        continue
      if (earlier.send !== undefined && later.send !== undefined) continue
      pairs += 1
      t.equal(await decide(later, earlier), earlier.code, `${earlier.name}, ${later.name}`)
      if (index <= SIGNATURE) t.strictSame(called, [])
    }
  }
  t.equal(pairs, (faults.length * (faults.length - 1)) / 2 - 2)
})
