import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { safeLogger } from '../../../src/core/options/logger.ts'

t.test('passes details and message on at their level', async (t) => {
  const seen: unknown[] = []
  const logger = safeLogger({
    info: (...args) => seen.push('info', ...args),
    warn: (...args) => seen.push('warn', ...args),
    error: (...args) => seen.push('error', ...args),
  })
  logger.info({ a: 1 }, 'one')
  logger.warn({ b: 2 }, 'two')
  logger.error({ c: 3 }, 'three')
  t.strictSame(seen, ['info', { a: 1 }, 'one', 'warn', { b: 2 }, 'two', 'error', { c: 3 }, 'three'])
})

t.test('debug is optional', async (t) => {
  const seen: unknown[] = []
  const others = { info() {}, warn() {}, error() {} }
  safeLogger(others).debug({ a: 1 }, 'to nobody')
  safeLogger({ ...others, debug: (...args) => seen.push(args) }).debug({ a: 1 }, 'one')
  t.strictSame(seen, [[{ a: 1 }, 'one']])
})

t.test('keeps the logger as `this`, which class loggers need', async (t) => {
  class Collecting {
    readonly lines: string[] = []
    info(_details: object, message: string): void {
      this.lines.push(message)
    }
    warn = this.info
    error = this.info
  }
  const collecting = new Collecting()
  safeLogger(collecting).info({}, 'one')
  safeLogger(collecting).error({}, 'two')
  t.strictSame(collecting.lines, ['one', 'two'])
})

t.test('an async logger that rejects leaves no unhandled rejection', async (t) => {
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
  const logger = safeLogger({ info: fails, warn: fails, error: fails })
  logger.info({}, 'one')
  logger.error({}, 'two')
  for (let turn = 0; turn < 3; turn += 1) await setImmediate()
  t.strictSame(unhandled, [])
})

t.test('a logger that throws is ignored, and no logger writes nothing', async (t) => {
  const throws = (): never => {
    throw new Error('disk full')
  }
  for (const logger of [
    safeLogger({ info: throws, warn: throws, error: throws }),
    safeLogger(undefined),
  ]) {
    t.doesNotThrow(() => logger.info({}, ''))
    t.doesNotThrow(() => logger.warn({}, ''))
    t.doesNotThrow(() => logger.error({}, ''))
  }
})
