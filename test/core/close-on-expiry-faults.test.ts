/** Connections that end with their token although they, or a clock, do not play along. */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import * as http2 from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type ClosableConnection, closeOnExpiry } from '../../src/core/close-on-expiry.ts'
import type { VerifiedToken } from '../../src/core/token/verified-token.ts'

const NOW = 1_700_000_000_000
const token = { expiresAt: NOW / 1000 + 10 } as VerifiedToken

/** A clock in the test's hand, in seconds from now. */
function clockAt(seconds: number) {
  const clock = { clockTolerance: 0, asked: 0, seconds, now: (): number => NOW }
  clock.now = () => {
    clock.asked += 1
    return NOW + clock.seconds * 1000
  }
  return clock
}

const connectionOf = (methods: Record<string, () => void>): ClosableConnection =>
  Object.assign(new EventEmitter(), methods) as never

const fail = (): never => {
  throw new Error('no')
}

/** Lets the token expire, and the second of grace pass. */
function expire(clock: { seconds: number }): void {
  clock.seconds = 10
  mock.timers.tick(10_000)
  mock.timers.tick(1000)
}

t.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
t.afterEach(() => mock.timers.reset())

t.test('a WebSocket whose close throws is terminated', async (t) => {
  let cut = 0
  const terminate = () => {
    cut += 1
  }
  const clock = clockAt(0)
  closeOnExpiry(token, connectionOf({ close: fail, terminate }), clock)
  expire(clock)
  t.equal(cut, 1)
})

t.test('a connection that cannot be terminated affects no other', async (t) => {
  const clock = clockAt(0)
  closeOnExpiry(token, connectionOf({ destroy: fail }), clock)
  closeOnExpiry(token, connectionOf({ close: () => {}, terminate: fail }), clock)
  t.doesNotThrow(() => expire(clock))
})

for (const [name, fault] of Object.entries({ throws: fail, 'answers NaN': () => Number.NaN })) {
  t.test(`a clock that ${name} later ends the connection`, async (t) => {
    let destroyed = 0
    const destroy = () => {
      destroyed += 1
    }
    let now = (): number => NOW
    closeOnExpiry(token, connectionOf({ destroy }), { clockTolerance: 0, now: () => now() })
    now = fault
    mock.timers.tick(10_000)
    t.equal(destroyed, 1)
  })
}

async function portOf(test: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('a response is ended behind a body that was read, its request is rejected', async (t) => {
  const server = createServer((request, response) => {
    request.resume().once('close', () => {
      t.throws(() => closeOnExpiry(token, request, clockAt(0)), { code: 'ERR_OPTION_INVALID' })
      response.write('first')
      closeOnExpiry(token, response, clockAt(10))
    })
  })
  const port = await portOf(t, server)
  const sent = request({ port, method: 'POST', agent: false }).end('body')
  sent.on('error', () => {})
  sent.on('response', (response: IncomingMessage) => response.on('error', () => {}).resume())
  await new Promise<void>((resolve) => sent.once('close', resolve))
  t.ok(sent.destroyed, 'the caller sees it end')
})

t.test('a response of HTTP/2 is ended', async (t) => {
  const server = http2.createServer((_request, response) => {
    response.write('first')
    closeOnExpiry(token, response as never, clockAt(10))
  })
  const session = http2.connect(`http://127.0.0.1:${await portOf(t, server as never)}`)
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {}).resume()
  await once(stream, 'close')
  t.ok(stream.closed)
})

t.test('nothing is kept of a connection that is closed already', async (t) => {
  const server = createServer((_request, response) => void response.end())
  const port = await portOf(t, server)
  const gone = new Promise<ServerResponse>((resolve) => {
    server.once('request', (_request, response) => {
      response.once('close', () => setImmediate(resolve, response))
    })
  })
  await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  const clock = clockAt(0)
  closeOnExpiry(token, (await gone) as never, clock)
  closeOnExpiry(token, Object.assign(connectionOf({ terminate: fail }), { readyState: 3 }), clock)
  t.equal(clock.asked, 0, 'the clock is not even looked at')
})

t.test('rejects an invalid connection', async (t) => {
  for (const it of [undefined, null, 7, {}, { destroy: fail }, connectionOf({ close: fail })]) {
    t.throws(() => closeOnExpiry(token, it as never, clockAt(0)), {
      code: 'ERR_OPTION_INVALID',
      message:
        /connection: expected a WebSocket, response or socket, got a value that cannot be closed\. Pass/,
    })
  }
})
