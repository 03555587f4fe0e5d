/** The connection through node-redis, over clients with scripted failures. */
import { EventEmitter, once } from 'node:events'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import {
  type NodeRedisClient,
  NodeRedisConnection,
  type NodeRedisLike,
  type NodeRedisOverrides,
} from '../../../src/tokens/store/node-redis.ts'
import type { RedisOverrides } from '../../../src/tokens/store/redis-link.ts'
import { settle } from '../../support/client.ts'

/** A client that is scripted. */
class Client extends EventEmitter implements NodeRedisClient {
  isOpen = true
  destroyed = 0
  sent: unknown[] = []
  answer: () => Promise<unknown> = async () => 'OK'
  readonly connect: () => Promise<unknown>

  constructor(connect: () => Promise<unknown>) {
    super()
    this.connect = connect
  }
  destroy(): void {
    this.destroyed += 1
    if (!this.isOpen) throw new Error('The client is closed')
    this.isOpen = false
  }
  sendCommand(args: unknown): Promise<unknown> {
    this.sent.push(args)
    return this.answer()
  }
}

function setUp(t: Test, connected: () => Promise<unknown> = async () => {}) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const clients: Client[] = []
  const overridden: NodeRedisOverrides[] = []
  const redis: NodeRedisLike = {
    options: { socket: { host: 'redis.internal', tls: true } },
    socketEpoch: 0,
    duplicate(overrides) {
      overridden.push(overrides)
      const client = new Client(connected)
      clients.push(client)
      return client
    },
  }
  const overrides = {
    connectTimeout: 2000,
    socketTimeout: 2000,
    retryStrategy: (times: number) => 100 * times,
  } as RedisOverrides
  const connection = new NodeRedisConnection(redis, overrides)
  const events: string[] = []
  for (const event of ['ready', 'close'] as const) connection.on(event, () => events.push(event))
  return { connection, clients, events, overridden }
}

t.test('options of the socket stay, except those of the connection', async (t) => {
  const { connection, clients, overridden } = setUp(t)
  t.strictSame(overridden, [
    {
      socket: { host: 'redis.internal', tls: true, connectTimeout: 2000, reconnectStrategy: false },
    },
  ])
  connection.disconnect()
  t.equal(clients[0]?.isOpen, false)
})

t.test(
  'commands are sent as text and bytes, and error replies get the name of ioredis',
  async (t) => {
    const { connection, clients } = setUp(t)
    const [client] = clients as [Client]
    client.emit('ready')
    t.equal(await connection.callBuffer('EVAL', 'script', 1, Buffer.from('key')), 'OK')
    t.strictSame(client.sent, [['EVAL', 'script', '1', Buffer.from('key')]])
    client.answer = async () => {
      throw new Error('NOSCRIPT No matching script')
    }
    await t.rejects(connection.callBuffer('EVALSHA'), {
      name: 'ReplyError',
      message: 'NOSCRIPT No matching script',
    })
    connection.disconnect()
  },
)

t.test('a broken connection is replaced, later each time until one is ready', async (t) => {
  const { connection, clients, events } = setUp(t)
  for (const [index, delay] of [100, 200, 300].entries()) {
    const client = clients[index] as Client
    const broken = new Error('Socket closed unexpectedly')
    client.answer = async () => {
      client.isOpen = false
      client.emit('error', broken)
      throw broken
    }
    await t.rejects(connection.callBuffer('TIME'), broken)
    await t.rejects(connection.callBuffer('TIME'), /The connection is closed/)
    client.emit('error', broken)
    mock.timers.tick(delay - 1)
    t.equal(clients.length, index + 1)
    mock.timers.tick(1)
    t.equal(clients.length, index + 2)
  }
  t.strictSame(events, ['close', 'close', 'close'])
  clients[3]?.emit('ready')
  clients[3]?.emit('error', new Error('Socket closed unexpectedly'))
  t.equal(clients[3]?.isOpen, false)
  mock.timers.tick(100)
  t.equal(clients.length, 5, 'the delay is the first one again')
  connection.disconnect()
})

t.test('a client that cannot connect is replaced', async (t) => {
  const { connection, clients, events } = setUp(t, () => Promise.reject(new Error('ECONNREFUSED')))
  await settle()
  t.strictSame(events, ['close'])
  t.equal(clients[0]?.isOpen, false)
  mock.timers.tick(100)
  t.equal(clients.length, 2)
  await settle()
  connection.disconnect()
})

t.test('a client that gets ready after the end is destroyed', async (t) => {
  const { connection, clients, events } = setUp(t)
  const [client] = clients as [Client]
  connection.disconnect()
  client.emit('ready')
  t.strictSame(events, [])
  t.equal(client.destroyed, 2)
  connection.disconnect()
  t.equal(client.destroyed, 2)
})

t.test('a connection that is silent for 2 s is replaced', async (t) => {
  const { connection, clients, events } = setUp(t)
  const [client] = clients as [Client]
  client.emit('ready')
  client.answer = () => once(client, 'destroyed')
  const call = connection.callBuffer('TIME')
  mock.timers.tick(2000)
  await settle()
  t.equal(client.isOpen, false)
  t.strictSame(events, ['ready', 'close'])
  client.emit('destroyed')
  await call
  connection.disconnect()
  mock.timers.tick(1000)
  t.equal(clients.length, 1, 'nothing connects after the end')
})
