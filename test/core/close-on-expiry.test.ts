/** Long connections end with their token: when, how, and what never outlives them. */
import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type ClosableConnection, closeOnExpiry } from '../../src/core/close-on-expiry.ts'
import type { VerifiedToken } from '../../src/index.ts'

/** Epoch milliseconds at which each test starts. */
const START = 1_700_000_000_000
const TOLERANCE = 5
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const tokenFor = (seconds: number) =>
  ({ expiresAt: START / 1000 + seconds }) as unknown as VerifiedToken

/** Writes down what is done to it. */
class Response extends EventEmitter {
  readonly ends: unknown[] = []

  destroy(): void {
    this.ends.push('destroy')
  }
}

/** It says goodbye when its peer does, so the event is the test's. */
class Socket extends EventEmitter {
  readonly ends: unknown[] = []

  close(code: number, reason: string): void {
    this.ends.push([code, reason])
  }

  terminate(): void {
    this.ends.push('terminate')
  }
}

const GOODBYE = [1008, 'The access token expired']

/** A wall clock and mocked timers, which move apart only where a test says so. */
function clocks(test: Test) {
  mock.timers.enable({ apis: ['setTimeout'] })
  test.teardown(() => mock.timers.reset())
  const state = { wall: START }
  return {
    state,
    open<Connection extends ClosableConnection>(
      seconds: number,
      connection: Connection,
    ): Connection {
      closeOnExpiry(tokenFor(seconds), connection, {
        clockTolerance: TOLERANCE,
        now: () => state.wall,
      })
      return connection
    },
    /** Second by second: mocked timers that are set while they tick start at its end. */
    pass(milliseconds: number): void {
      for (let left = milliseconds; left > 0; left -= SECOND) {
        const step = Math.min(SECOND, left)
        state.wall += step
        mock.timers.tick(step)
      }
    },
  }
}

t.test('a WebSocket is closed at expiry and tolerance, and cut a second later', async (t) => {
  const { open, pass } = clocks(t)
  const { ends } = open(30, new Socket())
  pass(35 * SECOND - 1)
  t.strictSame(ends, [])
  pass(1)
  t.strictSame(ends, [GOODBYE])
  pass(SECOND - 1)
  t.strictSame(ends, [GOODBYE])
  pass(1)
  t.strictSame(ends, [GOODBYE, 'terminate'])
  pass(HOUR)
  t.strictSame(ends, [GOODBYE, 'terminate'])
})

t.test('a response is destroyed at expiry and tolerance, once', async (t) => {
  const { open, pass } = clocks(t)
  const { ends } = open(30, new Response())
  pass(35 * SECOND - 1)
  t.strictSame(ends, [])
  pass(1)
  t.strictSame(ends, ['destroy'])
  pass(HOUR)
  t.strictSame(ends, ['destroy'])
})

t.test('a connection without close() is terminated after the same second', async (t) => {
  const { open, pass } = clocks(t)
  const ends: string[] = []
  const terminate = () => ends.push('terminate')
  open(0, Object.assign(new EventEmitter(), { terminate }))
  pass(5 * SECOND)
  t.strictSame(ends, [])
  pass(SECOND)
  t.strictSame(ends, ['terminate'])
})

t.test('a closed connection is not closed again', async (t) => {
  const { open, pass } = clocks(t)
  const connections = [open(30, new Response()), open(30, new Socket())]
  pass(35 * SECOND - 1)
  for (const connection of connections) connection.emit('close')
  pass(HOUR)
  for (const { ends } of connections) t.strictSame(ends, [])
})

t.test('a connection that closes within its second is not terminated', async (t) => {
  const { open, pass } = clocks(t)
  const socket = open(30, new Socket())
  pass(35 * SECOND)
  socket.emit('close')
  pass(HOUR)
  t.strictSame(socket.ends, [GOODBYE])
})

t.test('a connection that closes synchronously leaves no timer', async (t) => {
  const { open, pass } = clocks(t)
  const response = new Response()
  response.destroy = () => {
    response.ends.push('destroy')
    response.emit('close')
  }
  open(30, response)
  pass(HOUR)
  t.strictSame(response.ends, ['destroy'])
})

t.test('connections of one token are closed independently', async (t) => {
  const { open, pass } = clocks(t)
  const [gone, first, second] = [0, 1, 2].map(() => open(30, new Response()))
  gone?.emit('close')
  pass(35 * SECOND)
  t.strictSame([gone?.ends, first?.ends, second?.ends], [[], ['destroy'], ['destroy']])
})

t.test('a connection with an expired token is closed at once', async (t) => {
  const { open, pass } = clocks(t)
  t.strictSame(open(-5, new Response()).ends, ['destroy'], 'to the millisecond')
  t.strictSame(open(-3600, new Response()).ends, ['destroy'])
  const socket = open(-5, new Socket())
  t.strictSame(socket.ends, [GOODBYE])
  pass(SECOND)
  t.strictSame(socket.ends, [GOODBYE, 'terminate'])
  const closing = open(-5, new Socket())
  closing.emit('close')
  pass(HOUR)
  t.strictSame(closing.ends, [GOODBYE])
})

t.test('a fraction of a millisecond is no endless loop, and no second chance', async (t) => {
  const { state, open, pass } = clocks(t)
  const { ends } = open(30, new Response())
  state.wall += 0.5
  pass(35 * SECOND - 1)
  t.strictSame(ends, [])
  pass(1)
  t.strictSame(ends, ['destroy'])
})

t.test('a wall clock that steps forwards is noticed within a minute', async (t) => {
  const { state, open, pass } = clocks(t)
  const { ends } = open(3600, new Response())
  pass(10 * SECOND)
  state.wall += 2 * HOUR
  pass(50 * SECOND - 1)
  t.strictSame(ends, [])
  pass(1)
  t.strictSame(ends, ['destroy'])
})

t.test('a wall clock that steps backwards does not extend the token lifetime', async (t) => {
  const { state, open, pass } = clocks(t)
  const { ends } = open(30, new Response())
  pass(20 * SECOND)
  state.wall -= 10 * MINUTE
  pass(15 * SECOND)
  t.strictSame(ends, [], 'the token is live by this clock')
  pass(10 * MINUTE - 1)
  t.strictSame(ends, [])
  pass(1)
  t.strictSame(ends, ['destroy'])
})

t.test('timers that lag, as after a sleep, are made up for', async (t) => {
  const { state, open } = clocks(t)
  const { ends } = open(30, new Response())
  state.wall += 8 * HOUR
  mock.timers.tick(35 * SECOND)
  t.strictSame(ends, ['destroy'])
})

t.test('a clock that stands still ends nothing, and is asked at most once a minute', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let asked = 0
  const now = () => {
    asked += 1
    return START
  }
  const response = new Response()
  closeOnExpiry(tokenFor(3600), response, { clockTolerance: TOLERANCE, now })
  for (let minute = 0; minute < 10; minute += 1) mock.timers.tick(MINUTE)
  t.strictSame(response.ends, [])
  t.equal(asked, 11)
})

t.test(
  'a clock that answers NaN ends at once, or within a minute where it starts to',
  async (t) => {
    const { state, open, pass } = clocks(t)
    const { ends } = open(3600, new Response())
    state.wall = Number.NaN
    t.strictSame(open(3600, new Response()).ends, ['destroy'])
    t.strictSame(open(3600, new Socket()).ends, [GOODBYE])
    t.strictSame(ends, [])
    pass(MINUTE)
    t.strictSame(ends, ['destroy'])
  },
)

t.test('neither tolerance nor exp that is no number keeps a connection open', async (t) => {
  for (const [expiresAt, clockTolerance] of [
    [undefined, 5],
    [Number.NaN, 5],
    [START / 1000 + 30, Number.NaN],
  ] as const) {
    const response = new Response()
    const token = { expiresAt } as unknown as VerifiedToken
    closeOnExpiry(token, response, { clockTolerance, now: () => START })
    t.strictSame(response.ends, ['destroy'])
  }
})
