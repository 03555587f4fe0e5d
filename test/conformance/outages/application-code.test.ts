/** Application code in an outage: a lookup and two checks that hang, throw or return invalid values. */
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HOOK_TIMEOUT_MS } from '../../../src/core/hooks.ts'
import type { AccessRequirement, AuthErrorCode, CognitoAuthOptions } from '../../../src/index.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { CLIENT, openStage, type StageOptions } from './surface-fixture.ts'
import { isReached, isRefused, onEverySurface, until } from './surface-proof.ts'

type Question = () => unknown

/** Where each hook is called, and the response to its denial. */
const questions: readonly {
  readonly name: string
  readonly denied: AuthErrorCode
  readonly stage: (question: Question) => StageOptions
}[] = [
  {
    name: 'a client lookup',
    denied: 'ERR_CLIENT_NOT_ALLOWED',
    // Each request calls it again: another test covers cached results.
    stage: (clientId) => optioned({ clientId, clientCache: { allow: 0, deny: 0 } }),
  },
  {
    name: "the server's check",
    denied: 'ERR_ACCESS_DENIED',
    stage: (check) => optioned({ check }),
  },
  {
    name: "a route's check",
    denied: 'ERR_ACCESS_DENIED',
    stage: (check) => ({ requirement: { check } as AccessRequirement }),
  },
]

const optioned = (options: object): StageOptions => ({
  options: () => options as Partial<CognitoAuthOptions>,
})

function thrower(thrown: unknown): Question {
  return () => {
    throw thrown
  }
}

const trap = (): never => {
  throw new Error('secret')
}

/** Throws at whatever looks at it. */
const hostile = (): Error =>
  new Proxy(new Error('secret'), { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap })

const getters = (): Error =>
  Object.defineProperties(new Error('secret'), {
    // First: replacing it makes Node write it, which looks at the others.
    stack: { get: trap },
    message: { get: trap },
    name: { get: trap },
    cause: { get: trap },
    constructor: { get: trap },
  })

const thenable = (then: unknown): object => Object.fromEntries([['then', then]])

type Settle = (value: unknown) => void

/** No decision: 503. */
const undecided: readonly [string, Question][] = [
  ...(
    [
      ['an Error', new Error('secret')],
      ['a string', 'secret'],
      ['undefined', undefined],
      ['null', null],
      ['true', true],
      ['an error whose getters throw', getters()],
      ['an error that throws at every touch', hostile()],
    ] as const
  ).flatMap(([name, thrown]): [string, Question][] => [
    [`throws ${name}`, thrower(thrown)],
    [`rejects with ${name}`, () => Promise.reject(thrown)],
  ]),
  ['throws a Promise of true', () => thrower(Promise.resolve(true))()],
  ['throws a rejected Promise', () => thrower(handled(Promise.reject(new Error('secret'))))()],
  ['a thenable that throws', () => thenable(trap)],
  ['a thenable that rejects', () => thenable((_: Settle, reject: Settle) => reject('secret'))],
  ['an object whose then throws at a look', () => Object.defineProperty({}, 'then', { get: trap })],
]

/** A no, because it is not the boolean true. */
const denials: readonly [string, unknown][] = [
  ['false', false],
  ['1', 1],
  ['"true"', 'true'],
  ['an object', {}],
  ['an array', []],
  ['a function that says true', () => true],
  ['a boxed true', Object(true)],
  ['undefined', undefined],
  ['null', null],
  ['a thenable of "true"', thenable((resolve: Settle) => resolve('true'))],
]

/** Its rejection is handled by no caller once it was thrown. */
function handled(promise: Promise<unknown>): Promise<unknown> {
  promise.catch(() => {})
  return promise
}

/** A surface that asks whatever `question` is at the moment. */
async function openAsking(t: Test, surface: Surface, stage: (question: Question) => StageOptions) {
  const asking = { question: (): unknown => true }
  const { pool, ask } = await openStage(
    t,
    surface,
    stage(() => asking.question()),
  )
  const token = pool.accessToken()
  return { asking, ask: () => ask(token) }
}

for (const { name, denied, stage } of questions) {
  onEverySurface(
    t,
    `${name} that throws, rejects or misspeaks opens nothing and is told exactly`,
    async (t, surface) => {
      const { asking, ask } = await openAsking(t, surface, stage)
      isReached(t, await ask(), 'true')
      for (const [what, question] of undecided) {
        asking.question = question
        const answer = await ask()
        isRefused(t, surface, answer, 'ERR_CHECK_UNAVAILABLE', what)
        t.notMatch(JSON.stringify(answer), /secret/, `${what}: nothing of it is told`)
      }
      for (const [what, said] of denials) {
        asking.question = () => said
        isRefused(t, surface, await ask(), denied, `${what} is no yes`)
        asking.question = async () => said
        isRefused(t, surface, await ask(), denied, `a promise of ${what} is no yes`)
      }
      // A promise of another library is a promise.
      asking.question = () => thenable((resolve: Settle) => resolve(true))
      isReached(t, await ask(), 'a thenable of true')
      asking.question = async () => true
      isReached(t, await ask(), 'and what failed before decides again')
    },
  )

  onEverySurface(t, `${name} that hangs is given up after three seconds`, async (t, surface) => {
    const { asking, ask } = await openAsking(t, surface, stage)
    isReached(t, await ask(), 'true')
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    for (const hanging of [new Promise(() => {}), thenable(() => {})]) {
      let asked = false
      asking.question = () => {
        asked = true
        return hanging
      }
      let answered = false
      const answer = ask().finally(() => {
        answered = true
      })
      await until(() => asked)
      mock.timers.tick(HOOK_TIMEOUT_MS - 1)
      for (let turn = 0; turn < 10; turn += 1) await setImmediate()
      t.notOk(answered, 'not a millisecond early')
      mock.timers.tick(1)
      isRefused(t, surface, await answer, 'ERR_CHECK_UNAVAILABLE', 'after three seconds')
    }
    asking.question = () => true
    isReached(t, await ask(), 'the next request is asked anew')
  })
}

onEverySurface(
  t,
  'a lookup that fails is not remembered, one that answered is, per client',
  async (t, surface) => {
    let asked = 0
    let answer: Question = thrower(new Error('down'))
    const { ask } = await openStage(
      t,
      surface,
      optioned({
        clientId: (clientId: string) => {
          asked += 1
          return clientId === CLIENT && answer()
        },
      }),
    )
    isRefused(t, surface, await ask(), 'ERR_CHECK_UNAVAILABLE', 'while it fails')
    answer = () => true
    isReached(t, await ask(), 'as soon as it answers')
    answer = thrower(new Error('down'))
    isReached(t, await ask(), 'the answer holds through the next outage')
    t.equal(asked, 2)
  },
)
