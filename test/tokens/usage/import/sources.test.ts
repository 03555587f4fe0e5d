/** Files, folders and streams of an import, its limits, and what a hostile file can do. */
import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { readEvent, type TokenRequest } from '../../../../src/tokens/usage/import/cloudtrail.ts'
import { UsageCollector } from '../../../../src/tokens/usage/import/collector.ts'
import { EventIdSet } from '../../../../src/tokens/usage/import/event-ids.ts'
import { PeakRates } from '../../../../src/tokens/usage/import/peaks.ts'
import { listSources, openFile } from '../../../../src/tokens/usage/import/sources.ts'
import {
  importUsage,
  parseUsageDays,
  parseUsageImport,
  type SkippedFile,
} from '../../../../src/tokens/usage/index.ts'
import { EVENT_TIME, tokenEvent } from '../../../support/cloudtrail.ts'

const event = (clientId = 'a') => JSON.stringify(tokenEvent({ clientId }))
const input = (...chunks: (Buffer | string)[]) => ({ name: 'input', stream: Readable.from(chunks) })
const code = 'ERR_OPTION_INVALID'

t.test(
  'folders are read with their subfolders, by name; links are skipped and named',
  async (t) => {
    const folder = t.testdir({
      'b.json': `{"Records":[${event('b')}]}`,
      a: { 'x.json.gz': gzipSync(event('x')), 'y.LOG': event('y'), 'picture.png': 'PNG' },
      'link.json': t.fixture('symlink', 'b.json'),
      'folder-link': t.fixture('symlink', 'a'),
    })
    execFileSync('mkfifo', [join(folder, 'pipe.json')])
    const server = createServer().listen(join(folder, 'socket.json'))
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { days, summary } = await importUsage([folder])
    t.strictSame(days.map(({ clientId }) => clientId).sort(), ['b', 'x', 'y'])
    t.match(summary, { sources: 3, counted: 3, malformed: 0, skippedFiles: 4 })
    t.strictSame(summary.skipped, [
      { path: join(folder, 'a/picture.png'), reason: 'another type of file' },
      { path: join(folder, 'folder-link'), reason: 'a symbolic link' },
      { path: join(folder, 'link.json'), reason: 'a symbolic link' },
      { path: join(folder, 'pipe.json'), reason: 'a pipe' },
    ])
  },
)

t.test('a socket is skipped, and a folder that disappears', async (t) => {
  // The path of a socket is limited to about 100 characters.
  const folder = mkdtempSync(join(tmpdir(), 'usage-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'b'))
  writeFileSync(join(folder, 'a.json'), event())
  const server = createServer().listen(join(folder, 'z.json'))
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const skipped: SkippedFile[] = []
  const sources = listSources([folder], (file) => skipped.push(file))
  t.equal(sources.next().value?.name, join(folder, 'a.json'))
  rmSync(join(folder, 'b'), { recursive: true })
  t.ok(sources.next().done)
  t.strictSame(skipped, [
    { path: join(folder, 'b'), reason: 'cannot be read (ENOENT)' },
    { path: join(folder, 'z.json'), reason: 'a special file' },
  ])
})

t.test('at most 100 skipped files are named', async (t) => {
  const folder = t.testdir({})
  for (let index = 0; index < 105; index += 1) symlinkSync('x', join(folder, `${index}.json`))
  const { summary } = await importUsage([folder])
  t.equal(summary.skipped.length, 100)
  t.equal(summary.skippedFiles, 105)
})

t.test('a named file may have any name, but is no link or pipe', async (t) => {
  const folder = t.testdir({ records: event(), link: t.fixture('symlink', 'records') })
  execFileSync('mkfifo', [join(folder, 'pipe')])
  t.match((await importUsage([join(folder, 'records')])).summary, { counted: 1 })
  for (const [name, found] of [
    ['link', 'a symbolic link'],
    ['pipe', 'a pipe'],
    ['missing', 'none'],
  ]) {
    const path = join(folder, name as string)
    await t.rejects(importUsage([join(folder, 'records'), path]), {
      code,
      message: new RegExp(
        `^cognito-m2m: sources\\[1\\]: expected a file or a folder, got ${found} at ".*Correct the path.$`,
      ),
    })
  }
})

t.test('a file that is replaced by a link or a pipe is not read', async (t) => {
  const folder = t.testdir({ 'a.json': event('a'), 'b.json': event('b'), 'c.json': event('c') })
  const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')]
  const skipped: SkippedFile[] = []
  const [first, second] = [...listSources([folder], (file) => skipped.push(file))]
  rmSync(a)
  symlinkSync('c.json', a)
  rmSync(b)
  execFileSync('mkfifo', [b])
  t.throws(() => first?.open(), { code: 'ELOOP' })
  t.throws(() => second?.open(), { code: 'EINVAL' })
  t.strictSame(skipped, [])
})

t.test('a file whose type cannot be read is closed', (t) => {
  const folder = t.testdir({ 'a.json': event() })
  const { fstatSync } = fs
  const opened: number[] = []
  fs.fstatSync = ((fd: number) => {
    opened.push(fd)
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }) as typeof fstatSync
  syncBuiltinESMExports()
  t.teardown(() => {
    fs.fstatSync = fstatSync
    syncBuiltinESMExports()
  })
  t.throws(() => openFile(join(folder, 'a.json')), { code: 'EIO' })
  t.throws(() => fstatSync(opened[0] as number), { code: 'EBADF' })
  t.end()
})

t.test('a stream that fails, and gzip that is broken or cut, are malformed', async (t) => {
  const failing = new Readable({
    read() {
      this.destroy(new Error('secret of the stream'))
    },
  })
  const whole = gzipSync(`${event('a')}\n${event('b')}\n`)
  const sources = [
    { name: 'failing', stream: failing },
    { name: 'cut', stream: Readable.from([whole.subarray(0, -20)]) },
    { name: 'broken', stream: Readable.from([Buffer.from([0x1f, 0x8b, 0, 1, 2, 3])]) },
    { name: 'one byte', stream: Readable.from([Buffer.from([0x1f])]) },
    { name: 'text', stream: Readable.from([event('c')]) },
    {
      name: 'two members',
      stream: Readable.from([Buffer.concat([gzipSync(`${event('d')}\n`), gzipSync(event('e'))])]),
    },
  ]
  const { summary, days } = await importUsage(sources)
  t.strictSame(
    summary.firstMalformed.map(({ source, reason }) => [source, reason]),
    [
      ['failing', 'cannot be read (error)'],
      ['cut', 'cannot be read (Z_BUF_ERROR)'],
      ['broken', 'cannot be read (Z_DATA_ERROR)'],
      ['one byte', 'expected a JSON object'],
    ],
  )
  t.match(summary, { sources: 6, malformed: 4 })
  for (const id of ['c', 'd', 'e'])
    t.ok(
      days.some(({ clientId }) => clientId === id),
      id,
    )
  t.notMatch(JSON.stringify(summary), /secret/)
})

t.test('a gzip bomb ends at the limit of bytes', async (t) => {
  const bomb = gzipSync(Buffer.alloc(30_000_000, '\n'))
  t.ok(bomb.length < 100_000)
  await t.rejects(importUsage([input(bomb)], { maxBytes: 1_000_000 }), {
    code,
    message:
      'cognito-m2m: maxBytes: expected at most 1000000 bytes after decompression, got more. Import fewer files at once, or pass a higher limit.',
  })
  const long = await importUsage([input(gzipSync(Buffer.alloc(30_000_000, 'x')))])
  t.match(long.summary, { malformed: 1, bytes: 30_000_000 })
  await t.rejects(importUsage([input(event()), input(event())], { maxBytes: event().length }), {
    code,
    message: /maxBytes/,
  })
})

t.test('a signal ends the import, also while a stream has no data', async (t) => {
  const controller = new AbortController()
  const stream = new PassThrough()
  const done = importUsage([{ name: 'stream', stream }], { signal: controller.signal })
  controller.abort(new Error('interrupted'))
  await t.rejects(done, { message: 'interrupted' })
  t.ok(stream.destroyed)
})

t.test('invalid sources and options', async (t) => {
  const rejects = async (sources: unknown, options: object, message: string) =>
    t.rejects(importUsage(sources as string[], options), {
      code,
      message: `cognito-m2m: ${message}`,
    })
  await rejects(
    [],
    {},
    'sources: expected an array of paths and streams, got an empty array. Pass at least one.',
  )
  await rejects(
    'x',
    {},
    'sources: expected an array of paths and streams, got "x". Pass at least one.',
  )
  await rejects(
    [5],
    {},
    'sources[0]: expected a path or a stream, got 5. Pass a text, or { name, stream }.',
  )
  await rejects(
    [{ name: 'x' }],
    {},
    'sources[0]: expected a path or a stream, got an object. Pass a text, or { name, stream }.',
  )
  await rejects(
    ['x'],
    { maxClients: 10_001 },
    'maxClients: expected a whole number of app clients from 1 to 10000, got 10001. Pass a number in this range.',
  )
  await rejects(
    ['x'],
    { maxBytes: 0 },
    'maxBytes: expected a whole number of bytes from 1 to 1000000000000, got 0. Pass a number in this range.',
  )
  await rejects(
    ['x'],
    { limit: 1 },
    'limit: expected one of previous, maxBytes, maxClients, signal, got an unknown name. Rename or remove it.',
  )
})

t.test('cells beyond the limit are other, also those of an earlier import', async (t) => {
  const scoped = JSON.stringify(tokenEvent({ clientId: 'a', scope: 'orders/read' }))
  const { days, eventIds, peaks, summary } = await importUsage([
    input([event('a'), event('b'), event('c'), scoped].join('\n')),
  ])
  const previous = { version: 1 as const, days, eventIds, peaks, summary }
  const collector = new UsageCollector({ maxClients: 10, previous, maxCells: 2 })
  t.match(collector.finish().days, [
    { kind: 'other', issued: 2 },
    { clientId: 'a', issued: 1, resourceServers: ['orders'] },
    { clientId: 'a', issued: 1 },
  ])
})

t.test('the import ends before duplicates would be counted', async (t) => {
  const collector = new UsageCollector({ maxClients: 10, previous: undefined, maxIds: 2 })
  const request = readEvent(tokenEvent({ eventId: 'a' })) as TokenRequest
  collector.addEvent(request)
  collector.addEvent(request)
  collector.addEvent({ ...request, eventId: 'b' })
  const { days, peaks, eventIds } = collector.finish()
  const { summary } = await importUsage([input('{}')])
  const previous = { version: 1 as const, days, peaks, eventIds, summary }
  const full = new UsageCollector({ maxClients: 10, previous, maxIds: 2 })
  for (const eventId of ['a', 'b']) full.addEvent({ ...request, eventId })
  t.match(full.counts, { duplicates: 2, counted: 0 }, 'a duplicate needs no room')
  t.throws(() => full.addEvent({ ...request, eventId: 'c' }), {
    code,
    message:
      'cognito-m2m: sources: expected at most 2 token requests, got more. Import each month separately.',
  })
})

t.test('ids: each is new once, in a table that grows, and after it was saved', (t) => {
  const ids = new EventIdSet(3000)
  for (let index = 0; index < 3000; index += 1) if (!ids.add(`id ${index}`)) t.fail(`${index}`)
  t.equal(ids.isOverfull, false)
  for (let index = 0; index < 3000; index += 1) if (ids.add(`id ${index}`)) t.fail(`${index}`)
  t.equal(ids.isOverfull, false)
  const copy = new EventIdSet()
  const encoded = ids.encode()
  t.equal(Buffer.from(encoded, 'base64').length, 24_000)
  copy.load(encoded)
  t.equal(copy.add('id 7'), false)
  t.ok(copy.add('another'))
  const zero = new EventIdSet()
  zero.load(Buffer.alloc(16).toString('base64'))
  zero.load(`${Buffer.alloc(8).toString('base64')}AA`)
  t.equal(Buffer.from(zero.encode(), 'base64').length, 8, 'eight zeros are an id too')
  t.end()
})

t.test('peaks: at most 366 Regions and days', (t) => {
  const peaks = new PeakRates()
  for (let day = 0; day < 370; day += 1) peaks.add('eu-west-1', EVENT_TIME + day * 86_400)
  peaks.merge({ region: 'us-east-1', day: '2026-03-10', requests: 5, at: 1 })
  t.equal(peaks.list().length, 366)
  const merged = new PeakRates()
  merged.add('a', EVENT_TIME)
  merged.merge({ region: 'a', day: '2026-03-10', requests: 5, at: 7 })
  merged.merge({ region: 'a', day: '2026-03-10', requests: 2, at: 8 })
  merged.add('a', EVENT_TIME + 1)
  merged.merge({ region: 'b', day: '2026-03-10', requests: 1, at: 9 })
  merged.add('b', EVENT_TIME)
  t.strictSame(merged.list(), [
    { day: '2026-03-10', region: 'a', requests: 5, at: 7 },
    { day: '2026-03-10', region: 'b', requests: 1, at: 9 },
  ])
  t.end()
})

t.test('an import and days are read back from JSON', async (t) => {
  const result = await importUsage([
    input(`${event()}\n${JSON.stringify(tokenEvent({ scope: 'a/b' }))}\nx`),
    t.testdir({ picture: '' }),
  ])
  t.match(result.summary, { firstMalformed: [{ position: 3 }], skipped: [{}] })
  t.strictSame(parseUsageImport(JSON.stringify(result)), result)
  t.strictSame(parseUsageDays(JSON.stringify(result.days)), result.days)
  const [day] = result.days
  const [peak] = result.peaks
  for (const [changes, message] of [
    [{ version: 2 }, 'text.version: expected 1, got 2. Import the records again.'],
    [
      { eventIds: 'ä' },
      'text.eventIds: expected base64 with 8 bytes for each event, got "ä". Pass the unchanged file.',
    ],
    ...['AAAA', 'AAAAAAAAAAAA_A==', 'AAAAAAAAAA', 'AAAAAAAAAAA', 'AAAAAAAAAA==', 5].map(
      (eventIds) =>
        [
          { eventIds },
          `text.eventIds: expected base64 with 8 bytes for each event, got ${JSON.stringify(eventIds)}. Pass the unchanged file.`,
        ] as const,
    ),
    [
      { eventIds: Buffer.alloc(8 * 5_000_001).toString('base64') },
      'text.eventIds: expected at most 5000000 events, got 5000001. Pass the unchanged file.',
    ],
    [{ days: {} }, 'text.days: expected an array, got an object. Pass the unchanged file.'],
    [
      { days: [{ ...day, issued: -1 }] },
      'text.days[0].issued: expected a whole number from 0 to 10^15, got -1. Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, cached: null }] },
      'text.days[0].cached: expected a whole number from 0 to 10^15, got null. Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, issued: 1e16 }] },
      'text.days[0].issued: expected a whole number from 0 to 10^15, got 10000000000000000. Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, day: '2026-3-1' }] },
      'text.days[0].day: expected a day as YYYY-MM-DD, got "2026-3-1". Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, kind: 'x' }] },
      'text.days[0].kind: expected client, other, unattributed, unverified, got "x". Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, clientId: 5 }] },
      'text.days[0].clientId: expected a text of 1 to 256 characters or null, got 5. Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, lastUsed: '1' }] },
      'text.days[0].lastUsed: expected epoch seconds or null, got "1". Pass the unchanged file.',
    ],
    [
      { days: [{ ...day, resourceServers: [''] }] },
      'text.days[0].resourceServers[0]: expected a text, got "". Pass the unchanged file.',
    ],
    [
      { peaks: [{ ...peak, region: null }] },
      'text.peaks[0].region: expected a Region, got null. Pass the unchanged file.',
    ],
    [
      { peaks: [{ ...peak, at: 8.64e12 + 1 }] },
      'text.peaks[0].at: expected epoch seconds, got 8640000000001. Pass the unchanged file.',
    ],
    [
      { peaks: [{ ...peak, at: null }] },
      'text.peaks[0].at: expected epoch seconds, got null. Pass the unchanged file.',
    ],
    [
      { summary: undefined },
      'text.summary: expected a plain object, got undefined. Pass an object literal.',
    ],
    [
      { summary: { ...result.summary, counted: '1' } },
      'text.summary.counted: expected a whole number from 0 to 10^15, got "1". Pass the unchanged file.',
    ],
    [
      { summary: { ...result.summary, skipped: null } },
      'text.summary.skipped: expected an array, got null. Pass the unchanged file.',
    ],
    [
      { summary: { ...result.summary, skipped: [{ path: 'a', reason: 5 }] } },
      'text.summary.skipped[0].reason: expected a text, got 5. Pass the unchanged file.',
    ],
    [
      {
        summary: { ...result.summary, firstMalformed: [{ source: 'a', position: -1, reason: '' }] },
      },
      'text.summary.firstMalformed[0].position: expected a whole number from 0 to 10^15, got -1. Pass the unchanged file.',
    ],
    [
      { more: 1 },
      'text.more: expected one of version, days, peaks, eventIds, summary, got an unknown name. Rename or remove it.',
    ],
  ] as const) {
    t.throws(() => parseUsageImport(JSON.stringify({ ...result, ...changes })), {
      code,
      message: `cognito-m2m: ${message}`,
    })
  }
  t.match(
    parseUsageImport(JSON.stringify({ ...result, days: [{ ...day, lastUsed: null }] })).days,
    [{ lastUsed: null }],
  )
  t.throws(() => parseUsageDays('{"a'), { code, message: /^cognito-m2m: text: expected JSON/ })
  t.throws(() => parseUsageDays('[{"day":'.padEnd(9, '1')), { code })
})
