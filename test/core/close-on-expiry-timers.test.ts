/** The timers behind long connections, real ones, and what cannot be ended at all. */
import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { closeOnExpiry } from '../../src/core/close-on-expiry.ts'
import { OptionError, type VerifiedToken } from '../../src/index.ts'
import { machineToken, NOW, serve } from '../support/forge.ts'

const DAY = 24 * 60 * 60
const tokenFor = (seconds: number) => ({ expiresAt: NOW + seconds }) as unknown as VerifiedToken

/** How long is slept, and on how many timers; they are real until the test ends. */
function watchTimers(test: Test) {
  const timers: NodeJS.Timeout[] = []
  const sleeps: unknown[] = []
  const original = globalThis.setTimeout
  const watched = mock.method(globalThis, 'setTimeout', ((look: () => void, sleep?: number) => {
    const timer = original(look, sleep)
    timers.push(timer)
    sleeps.push(sleep)
    return timer
  }) as typeof setTimeout)
  test.teardown(() => {
    watched.mock.restore()
    for (const timer of timers) clearTimeout(timer)
  })
  return { timers, sleeps }
}

function open(seconds: number, members: object): EventEmitter {
  const connection = Object.assign(new EventEmitter(), members)
  const clock = { clockTolerance: 5, now: () => NOW * 1000 }
  closeOnExpiry(tokenFor(seconds), connection as never, clock)
  return connection
}

t.test('no sleep is longer than a minute: 30 days do not overflow', async (t) => {
  const { sleeps } = watchTimers(t)
  const destroy = () => t.fail('ended')
  for (const seconds of [30 * DAY, 365 * DAY, Number.MAX_VALUE, 61, 55.001]) {
    open(seconds, { destroy })
    t.equal(sleeps.pop(), 60_000, `${seconds}`)
  }
  open(54, { destroy })
  t.equal(sleeps.pop(), 59_000)
  open(-4.9999, { destroy })
  t.equal(sleeps.pop(), 1)
})

t.test('timers do not keep the process alive and are cleared on close', async (t) => {
  const { timers } = watchTimers(t)
  const waiting = open(3600, { destroy: () => t.fail('ended') })
  const closing = open(-5, { terminate: () => t.fail('cut') })
  t.strictSame(
    timers.map((timer) => timer.hasRef()),
    [false, false],
  )
  const cleared = mock.method(globalThis, 'clearTimeout')
  t.teardown(() => cleared.mock.restore())
  waiting.emit('close')
  closing.emit('close')
  t.strictSame(
    cleared.mock.calls.map((call) => call.arguments[0]),
    timers,
  )
  t.strictSame(
    [waiting, closing].map((it) => it.listenerCount('close')),
    [0, 0],
  )
})

const endless: [string, unknown][] = [
  ['a request', { headers: {}, once() {} }],
  ['a server, which would close for everyone', { once() {}, close() {} }],
  ['a websocket of the browser', { once() {}, close() {}, addEventListener() {} }],
  ['members that are no functions', { once() {}, terminate: true, destroy: 'yes' }],
  ['nothing in it', {}],
]
for (const [kind, connection] of endless) {
  t.test(`rejects a connection that cannot be closed: ${kind}`, async (t) => {
    const { timers } = watchTimers(t)
    const server = serve()
    const token = await server.guard()(`Bearer ${machineToken()}`)
    const end = () => server.closeOnExpiry(token, connection as never)
    t.throws(end, OptionError)
    t.throws(end, {
      code: 'ERR_OPTION_INVALID',
      option: 'connection',
      message:
        'cognito-m2m: connection: expected a WebSocket, response or socket, got a value that cannot be closed. Pass the connection of the request.',
    })
    t.strictSame(timers, [])
  })
}

t.test('a resource server brings its own clock and tolerance', async (t) => {
  let wall = NOW * 1000
  const server = serve({ now: () => wall, clockTolerance: 60 })
  const token = await server.guard()(`Bearer ${machineToken({ exp: NOW + 10 })}`)
  const ended: string[] = []
  const connect = (name: string) => {
    const connection = new EventEmitter()
    server.closeOnExpiry(token, Object.assign(connection, { destroy: () => ended.push(name) }))
    connection.emit('close')
  }
  wall += 70_000 - 1
  connect('live')
  wall += 1
  connect('expired')
  t.strictSame(ended, ['expired'])
})

t.test('closing the server closes no connection and keeps its expiry timers', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let wall = NOW * 1000
  const server = serve({ now: () => wall })
  const token = await server.guard()(`Bearer ${machineToken({ exp: NOW + 10 })}`)
  const ended: string[] = []
  const connection = Object.assign(new EventEmitter(), { destroy: () => ended.push('destroy') })
  server.closeOnExpiry(token, connection)
  server.close()
  t.strictSame(ended, [])
  wall += 15_000
  mock.timers.tick(15_000)
  t.strictSame(ended, ['destroy'])
})
