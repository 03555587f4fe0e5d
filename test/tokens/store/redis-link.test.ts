/** The connection of the Redis store, over a connection with scripted failures. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { RedisConnection, RedisOverrides } from '../../../src/tokens/store/redis-link.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { LateError } from '../../../src/tokens/store/token-store.ts'

type Answer = (...args: unknown[]) => unknown

class ReplyError extends Error {
  override readonly name = 'ReplyError'
}

const MINUTE = 60_000

/** Answers as Redis does, unless a test says otherwise. */
class Connection implements RedisConnection {
  readonly answers: Record<string, Answer> = {
    TIME: () => [Buffer.from('1000'), Buffer.from('0')],
    INFO: () => Buffer.from('run_id:abc\r\nmaster_replid:def\r\n'),
    EVAL: () => [1_000_000, Buffer.from(''), null],
    EVALSHA: () => [1_000_000, Buffer.from(''), null],
  }
  readonly called: string[] = []
  readonly #listeners: Record<string, () => void> = {}
  overrides: RedisOverrides | undefined

  async callBuffer(command: string, ...args: unknown[]): Promise<unknown> {
    this.called.push(command)
    return this.answers[command]?.(...args)
  }
  on(event: string, listener: () => void): void {
    this.#listeners[event] = listener
  }
  emit(event: 'ready' | 'close' | 'error'): void {
    this.#listeners[event]?.()
  }
  disconnect(): void {
    this.emit('close')
  }
}

function setUpLink() {
  const connection = new Connection()
  const redis = {
    duplicate(overrides: RedisOverrides) {
      connection.overrides = overrides
      return connection
    },
  }
  return { connection, store: redisStore({ redis }) }
}

t.test('it reconnects every 150 ms while callers wait, then every second', async (t) => {
  const { connection } = setUpLink()
  connection.emit('error')
  const delays = [1, 8, 9, 1000].map((times) => connection.overrides?.retryStrategy(times))
  t.strictSame(delays, [150, 150, 1000, 1000])
})

t.test('commands wait for the connection and for the time of Redis', async (t) => {
  const { connection, store } = setUpLink()
  const got = store.get('key', 'group', { maxDelayMs: MINUTE })
  const late = t.rejects(store.get('key', 'group', { maxDelayMs: 1 }), LateError)
  await late
  t.strictSame(connection.called, [])
  connection.emit('ready')
  t.match(await got, { epoch: 'first 1', now: 1_000_000 })
  t.strictSame(connection.called, ['TIME', 'INFO', 'EVAL'])
  await store.get('key', 'group')
  t.equal(connection.called.at(-1), 'EVALSHA')
})

t.test(
  'a command without time left is not sent, one that was executed late has no answer',
  async (t) => {
    const { connection, store } = setUpLink()
    connection.emit('ready')
    await store.get('key', 'group', { maxDelayMs: MINUTE })
    const { length } = connection.called
    await t.rejects(store.get('key', 'group', { maxDelayMs: 0 }), LateError)
    t.equal(connection.called.length, length)
    connection.answers['EVALSHA'] = () => [1_000_000]
    await t.rejects(store.get('key', 'group', { maxDelayMs: MINUTE }), LateError)
    t.equal(connection.called.length, length + 1)
  },
)

t.test('the next command retries TIME after Redis rejected it', async (t) => {
  const { connection, store } = setUpLink()
  const { TIME } = connection.answers
  connection.answers['TIME'] = () => {
    throw new ReplyError('NOPERM no')
  }
  const refused = t.rejects(store.get('key', 'group', { maxDelayMs: MINUTE }), /NOPERM/)
  connection.emit('ready')
  await refused
  connection.answers['TIME'] = TIME as Answer
  const both = [store.get('key', 'group'), store.get('key', 'group')]
  t.match(await Promise.all(both), [{ epoch: 'first 1' }, { epoch: 'first 1' }])
  t.equal(connection.called.filter((command) => command === 'TIME').length, 2)
})

t.test('another server, or one without an identity, has other epochs', async (t) => {
  const { connection, store } = setUpLink()
  const epoch = async (): Promise<string> => {
    connection.emit('close')
    connection.emit('ready')
    return (await store.get('key', 'group')).epoch
  }
  t.equal(await epoch(), 'first 1')
  t.equal(await epoch(), 'first 1')
  connection.answers['INFO'] = () => Buffer.from('run_id:xyz\r\nmaster_replid:def\r\n')
  t.equal(await epoch(), 'first 2')
  connection.answers['INFO'] = () => Promise.reject(new ReplyError('NOPERM'))
  t.equal(await epoch(), 'first 3')
  t.equal(await epoch(), 'first 4')
})

t.test('a command whose connection breaks is sent again on the next one', async (t) => {
  const { connection, store } = setUpLink()
  connection.emit('ready')
  await store.get('key', 'group')
  connection.answers['EVALSHA'] = async () => {
    connection.emit('close')
    throw new Error('Connection is closed.')
  }
  const got = store.get('key', 'group', { maxDelayMs: MINUTE })
  await turn()
  await turn()
  connection.emit('ready')
  t.match(await got, { epoch: 'first 1' })
  t.equal(connection.called.at(-1), 'EVAL')
})

t.test('after a connection that breaks during TIME, it reconnects', async (t) => {
  for (const ending of ['answers', 'rejects'] as const) {
    const { connection, store } = setUpLink()
    let end: (() => void) | undefined
    connection.answers['TIME'] = () =>
      new Promise((resolve, reject) => {
        end = () =>
          ending === 'answers' ? resolve(['1', '0'].map(Buffer.from)) : reject(new Error('broken'))
      })
    connection.emit('ready')
    const got = store.get('key', 'group', { maxDelayMs: MINUTE })
    await turn()
    connection.emit('close')
    end?.()
    await turn()
    connection.answers['TIME'] = () => [Buffer.from('1000'), Buffer.from('0')]
    connection.emit('ready')
    t.match(await got, { epoch: 'first 1' })
  }
})

t.test('a script that Redis lacks is sent, and its errors reject', async (t) => {
  const { connection, store } = setUpLink()
  connection.emit('ready')
  await store.get('key', 'group')
  connection.answers['EVALSHA'] = () => {
    throw new ReplyError('NOSCRIPT No matching script')
  }
  t.match(await store.get('key', 'group'), { epoch: 'first 1' })
  connection.answers['EVAL'] = () => {
    throw new ReplyError('OOM command not allowed')
  }
  await t.rejects(store.get('key', 'group'), /OOM/)
  await t.rejects(store.lock('key', 'me', 1000), /OOM/)
})

t.test('at most 5,000 commands wait for a connection', async (t) => {
  const { store } = setUpLink()
  const waiting = Array.from({ length: 5000 }, () =>
    store.get('key', 'group', { maxDelayMs: MINUTE }),
  )
  const ends = Promise.allSettled(waiting)
  await t.rejects(store.get('key', 'group'), /Too many commands wait/)
  await store.close()
  for (const { status } of await ends) t.equal(status, 'rejected')
  await t.rejects(store.get('key', 'group'), /The store is closed/)
})
