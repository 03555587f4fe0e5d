/** Connections that end with their token although they, or a clock, do not play along. */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import * as http2 from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { endAtExpiry, type LongConnection } from '../../src/core/expiry.ts'
import type { VerifiedToken } from '../../src/core/verified-token.ts'

const clock = { clockTolerance: 0, now: Date.now }
const tokenFor = (milliseconds: number): VerifiedToken =>
  ({ expiresAt: (Date.now() + milliseconds) / 1000 }) as never

/** Something of the owner's with these methods. */
const connectionOf = (methods: Record<string, () => void>): LongConnection =>
  Object.assign(new EventEmitter(), methods) as never

const fail = (): void => {
  throw new Error('no')
}

/** What would end the process; the test goes on. */
function faultsOf(test: Test): unknown[] {
  const faults: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => void faults.push(error))
  test.teardown(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return faults
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('a websocket whose close throws is cut all the same', async (t) => {
  const faults = faultsOf(t)
  let cut = false
  const terminate = () => {
    cut = true
  }
  endAtExpiry(tokenFor(20), connectionOf({ close: fail, terminate }), clock)
  await sleep(1300)
  t.strictSame([cut, faults], [true, []])
})

t.test('one that cannot be destroyed or terminated harms nobody else', async (t) => {
  const faults = faultsOf(t)
  endAtExpiry(tokenFor(20), connectionOf({ destroy: fail }), clock)
  endAtExpiry(tokenFor(20), connectionOf({ close: () => {}, terminate: fail }), clock)
  await sleep(1300)
  t.strictSame(faults, [])
})

for (const [name, fault] of Object.entries({ throws: fail, 'answers NaN': () => Number.NaN })) {
  t.test(`a clock that ${name} later ends the connection`, async (t) => {
    const faults = faultsOf(t)
    let broken = false
    let destroyed = false
    const destroy = () => {
      destroyed = true
    }
    const now = () => (broken ? (fault() as number) : Date.now())
    endAtExpiry(tokenFor(20), connectionOf({ destroy }), { clockTolerance: 0, now })
    broken = true
    await sleep(200)
    t.strictSame([destroyed, faults], [true, []])
  })
}

/** Whether a caller's stream ends, where its handler says by what: the body was read before. */
async function isEnded(
  test: Test,
  tie: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<boolean> {
  const server = createServer((request, response) => {
    request.resume().once('close', () => {
      tie(request, response)
      response.write('first')
    })
  })
  const port = await portOf(server)
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const sent = request({ port, method: 'POST', agent: false }).end('body')
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.on('error', () => {}).resume()
  const closed = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(true))
  })
  return Promise.race([closed, sleep(1000, false)])
}

t.test('a response is ended behind a body that was read', async (t) => {
  t.ok(await isEnded(t, (_request, response) => endAtExpiry(tokenFor(100), response, clock)))
})

t.test('so is a request, unless it is refused: its own close is long past', async (t) => {
  let refused = false
  const ended = await isEnded(t, (request) => {
    try {
      endAtExpiry(tokenFor(100), request, clock)
    } catch (error) {
      refused = (error as { code?: string }).code === 'ERR_OPTION_INVALID'
    }
  })
  t.ok(ended || refused)
})

t.test('a response of HTTP/2 is ended', async (t) => {
  const server = http2.createServer((_request, response) => {
    endAtExpiry(tokenFor(50), response as never, clock)
    response.write('first')
  })
  const session = http2.connect(`http://127.0.0.1:${await portOf(server)}`)
  t.teardown(() => {
    session.destroy()
    server.close()
  })
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {}).resume()
  t.ok(await Promise.race([once(stream, 'close'), sleep(1000, false)]))
})

t.test('nothing is kept of a connection that is closed already', async (t) => {
  const server = createServer((_request, response) => void response.end())
  const port = await portOf(server)
  t.teardown(() => server.close())
  const gone = new Promise<ServerResponse>((resolve) => {
    server.once('request', (_request, response) => {
      response.once('close', () => setImmediate(resolve, response))
    })
  })
  await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  const response = await gone
  let asked = 0
  const now = () => {
    asked += 1
    return Date.now()
  }
  endAtExpiry(tokenFor(30), response as never, { clockTolerance: 0, now })
  const first = asked
  await sleep(100)
  t.equal(asked, first, 'the clock is not looked at again')
})
