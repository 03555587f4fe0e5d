/** Documents of CloudTrail and Logs Insights in every form, whole and in pieces, and broken ones. */
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { type LocalUserPool, startUserPool } from '../../../../src/testing/index.ts'
import {
  type ImportUsageOptions,
  importUsage,
  type UsageImport,
} from '../../../../src/tokens/usage/index.ts'
import { EVENT_POOL, EVENT_TIME, type EventParts, tokenEvent } from '../../../support/cloudtrail.ts'

const DAY = '2026-03-10'
const CLIENT = '5kek0i61pgkokoob4fsm9fo9it'

function text(parts: EventParts = {}): string {
  return JSON.stringify(tokenEvent(parts))
}

/** Imports one document, in pieces of a size. */
async function read(
  document: string | Buffer,
  options: ImportUsageOptions & { pieces?: number } = {},
): Promise<UsageImport> {
  const { pieces = 65_536, ...rest } = options
  const bytes = Buffer.from(document)
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieces) chunks.push(bytes.subarray(at, at + pieces))
  return importUsage([{ name: 'input', stream: Readable.from(chunks) }], rest)
}

const counted = ({ days }: UsageImport) => days.reduce((sum, { issued }) => sum + issued, 0)

const EVENTS = [text(), text({ clientId: 'b"{[' }), text({ clientId: 'c\\' })]
const PRETTY = JSON.stringify({ Records: EVENTS.map((it) => JSON.parse(it)) }, null, 2)
const LOOKUP = {
  Events: EVENTS.map((event, index) => ({ EventId: `${index}`, CloudTrailEvent: event })),
}

for (const [name, document] of [
  ['a log file', `{"Records":[${EVENTS.join(',')}]}`],
  ['a log file in lines', PRETTY],
  [
    'two log files in one',
    `{"Records":[${EVENTS[0]}]}{"Records":[${EVENTS.slice(1).join(', ')}]}\n`,
  ],
  ['an array', `\n [${EVENTS.join(',\n')}]\n`],
  ['one event in each line', `${EVENTS.join('\n')}\n`],
  ['one event in each line, CR LF, without the last break', EVENTS.join('\r\n')],
  ['blank lines', `\n\n${EVENTS.join('\n\n \n')}\n\n`],
  [
    'events in several lines each',
    EVENTS.map((it) => JSON.stringify(JSON.parse(it), null, 1)).join('\n'),
  ],
  ['aws cloudtrail lookup-events', JSON.stringify(LOOKUP)],
  ['aws cloudtrail lookup-events in lines', JSON.stringify(LOOKUP, null, 4)],
] as const) {
  t.test(`${name}: every event is counted, however it is split`, async (t) => {
    for (const pieces of [65_536, 1000, 7, 1]) {
      for (const bytes of [Buffer.from(document), gzipSync(document)]) {
        const { days, summary } = await read(bytes, { pieces })
        t.match(summary, { sources: 1, records: 3, counted: 3, malformed: 0 }, `${pieces}`)
        t.strictSame(days.map(({ clientId }) => clientId).sort(), [CLIENT, 'b"{[', 'c\\'])
      }
    }
  })
}

t.test('members behind the list are ignored', async (t) => {
  const { summary } = await read(`{"Records":[${EVENTS[0]}],"x":{"y":"]}\\"{"}}\n${EVENTS[1]}\n`)
  t.match(summary, { counted: 2, malformed: 0 })
  const { summary: none } = await read('{"Records":[]}')
  t.match(none, { records: 0, malformed: 0 })
  t.match((await read('')).summary, { sources: 1, bytes: 0, records: 0 })
  t.match((await read(' \n')).summary, { records: 0 })
})

t.test('an event has its day in UTC, its first and last use, and no source address', async (t) => {
  const midnight = Date.parse('2026-03-29T00:00:00Z') / 1000
  const events = [
    text({ at: midnight - 1 }),
    // The clocks of Europe change at 01:00Z: a day still has 24 hours.
    text({ at: midnight }),
    text({ at: midnight + 24 * 3600 - 1, scope: 'orders/read billing/a+b orders/write openid' }),
    text({ at: midnight + 3600 }),
  ]
  const result = await read(events.join('\n'))
  const client = { kind: 'client', userPoolId: EVENT_POOL, clientId: CLIENT, cached: 0 }
  t.strictSame(result.days, [
    { ...client, day: '2026-03-28', issued: 1, firstUsed: midnight - 1, lastUsed: midnight - 1 },
    { ...client, day: '2026-03-29', issued: 2, firstUsed: midnight, lastUsed: midnight + 3600 },
    {
      ...client,
      day: '2026-03-29',
      issued: 1,
      resourceServers: ['billing', 'orders'],
      firstUsed: midnight + 86_399,
      lastUsed: midnight + 86_399,
    },
  ])
  t.notMatch(JSON.stringify(result), /192\.0\.2\.44|axios|123456789012/)
})

t.test('a time with an offset is converted; one without a zone is malformed', async (t) => {
  const event = (eventTime: unknown) => JSON.stringify({ ...tokenEvent(), eventTime })
  const times = [
    '2026-03-10T23:30:00-01:00',
    '2026-03-11T00:30:00.123Z',
    '2026-03-10T00:30:00+01:00',
  ]
  const { days } = await read(times.map(event).join('\n'))
  t.strictSame(
    days.map(({ day, issued }) => [day, issued]),
    [
      ['2026-03-09', 1],
      ['2026-03-11', 2],
    ],
  )
  const broken = [
    '2026-03-10T12:00:00',
    '10 Mar 2026',
    '',
    null,
    {},
    '2013-12-31T23:59:59Z',
    1e300,
    '2100-01-01T00:00:00Z',
    '2026-02-31T99:00:00Z',
    ...['2026-02-30T12:00:00Z', '2026-02-29T12:00:00+01:00', '2026-04-31T12:00:00Z'],
    ...['2026-03-10T24:00:00Z', '2026-03-10T23:60:00Z', '2026-03-10T12:00:00+24:00'],
  ]
  const { summary } = await read(broken.map(event).join('\n'))
  t.match(summary, {
    counted: 0,
    malformed: broken.length,
    records: broken.length,
    firstMalformed: broken.slice(0, 10).map((_, index) => ({
      source: 'input',
      position: index + 1,
      reason: 'eventTime: expected a time of ISO 8601 with a zone',
    })),
  })
})

t.test('only client credentials with status 200 are counted', async (t) => {
  const { days, summary } = await read(
    [
      ...[
        text({ status: 200 }),
        text({ status: '200.0' }),
        text({ status: 400 }),
        text({ status: '401' }),
      ],
      ...[
        text({ status: 500 }),
        text({ grant: 'authorization_code' }),
        text({ grant: 'refresh_token' }),
      ],
      ...[text({ status: null }), text({ status: 'ok' }), text({ status: {} })],
      ...['', ' ', 'Infinity', '-Infinity', '0xC8', '2e2'].map((status) => text({ status })),
      ...[200.5, -200, 0].map((status) => text({ status })),
      JSON.stringify({ ...tokenEvent(), eventName: 'InitiateAuth' }),
      JSON.stringify({ ...tokenEvent(), eventSource: 's3.amazonaws.com' }),
      JSON.stringify({ ...tokenEvent(), additionalEventData: null }),
      ...['{}', '{"constructor":1}'],
    ].join('\n'),
  )
  t.match(days, [{ day: DAY, issued: 2 }])
  t.match(summary, { counted: 2, refused: 3, unrelated: 7, malformed: 12, records: 24 })
  t.equal(
    summary.firstMalformed[0]?.reason,
    'responseParameters.status: expected a status code of HTTP',
  )
})

t.test('an event without a client is unattributed, one without a pool has none', async (t) => {
  const { days, summary } = await read(
    [
      ...[text({ clientId: null }), text({ clientId: '' }), text({ clientId: 'x'.repeat(257) })],
      text({ userPoolId: undefined, clientId: 'a' }),
    ].join('\n'),
  )
  t.match(days, [
    { kind: 'unattributed', userPoolId: EVENT_POOL, clientId: null, issued: 3 },
    { kind: 'client', userPoolId: null, clientId: 'a', issued: 1 },
  ])
  t.match(summary, { counted: 4, unattributed: 3 })
})

t.test('GetClientToken: several possible shapes, and nothing after an error', async (t) => {
  const event = (parts: object) => {
    const { errorCode: _, ...rest } = tokenEvent()
    return JSON.stringify({
      ...rest,
      eventName: 'GetClientToken',
      additionalEventData: null,
      ...parts,
    })
  }
  const { days, summary } = await read(
    [
      event({ requestParameters: { clientId: 'a', userPoolId: EVENT_POOL } }),
      event({
        requestParameters: { ClientId: 'a' },
        additionalEventData: { userPoolId: EVENT_POOL },
      }),
      event({ errorCode: '', additionalEventData: { clientId: 'a', userPoolId: EVENT_POOL } }),
      event({ errorCode: null }),
      event({ errorCode: 'NotAuthorizedException', requestParameters: { clientId: 'a' } }),
    ].join('\n'),
  )
  t.match(days, [
    { userPoolId: EVENT_POOL, clientId: 'a', issued: 3 },
    { kind: 'unattributed', userPoolId: null, issued: 1 },
  ])
  t.match(summary, { counted: 0, countedClientToken: 4, refused: 1, unattributed: 1 })
})

t.test('duplicates of one event are counted once, across sources and imports', async (t) => {
  const event = text({ eventId: 'one' })
  const source = (...events: string[]) => ({
    name: 'input',
    stream: Readable.from([Buffer.from(events.join('\n'))]),
  })
  const first = await importUsage([source(event, event), source(event, text({ eventId: 'two' }))])
  t.match(first.summary, { counted: 2, duplicates: 2, sources: 2 })
  const previous = JSON.parse(JSON.stringify(first)) as UsageImport
  const second = await importUsage(
    [source(event, text({ eventId: 'three', at: EVENT_TIME + 1 }))],
    {
      previous,
    },
  )
  t.match(second.summary, { counted: 1, duplicates: 1 })
  t.match(second.days, [{ issued: 3, firstUsed: EVENT_TIME, lastUsed: EVENT_TIME + 1 }])
  t.match(second.peaks, [{ requests: 2, at: EVENT_TIME }])
  const unknown = await importUsage([source(text({ eventId: null }), text({ eventId: '' }))])
  t.match(unknown.summary, { counted: 2, withoutId: 2, duplicates: 0 })
})

t.test(
  'the peak is the busiest second of a Region and day, also of rejected requests',
  async (t) => {
    const at = EVENT_TIME
    const { peaks } = await read(
      [
        ...[
          text({ at }),
          text({ at: at + 1 }),
          text({ at: at + 1, status: 400 }),
          text({ at: at + 86_400 }),
        ],
        ...[
          text({ at, region: 'us-east-1' }),
          text({ at, region: 'no Region' }),
          text({ at: at + 2 }),
        ],
        text({ at, region: '', userPoolId: undefined }),
      ].join('\n'),
    )
    t.strictSame(peaks, [
      { day: DAY, region: 'eu-west-1', requests: 2, at: at + 1 },
      { day: DAY, region: 'us-east-1', requests: 1, at },
      { day: '2026-03-11', region: 'eu-west-1', requests: 1, at: at + 86_400 },
    ])
  },
)

t.test('clients beyond the limit are other, whatever they are called', async (t) => {
  const ids = ['__proto__', 'constructor', 'a\u0000b', '\ud800', '=1+1', 'toString']
  const events = ids.map((clientId) => text({ clientId }))
  const all = await read(events.join('\n'))
  t.strictSame(all.days.map(({ clientId }) => clientId).sort(), [...ids].sort())
  const { days, summary } = await read(
    [...events, ...ids.map((clientId) => text({ clientId }))].join('\n'),
    {
      maxClients: 2,
    },
  )
  t.match(days, [
    { kind: 'other', userPoolId: null, clientId: null, issued: 8 },
    { clientId: '__proto__', issued: 2 },
    { clientId: 'constructor', issued: 2 },
  ])
  t.match(summary, { counted: 12, other: 8 })
})

t.test('malformed lines and records are counted, and the first ones named', async (t) => {
  const lines = [
    ...[text(), '{"a":', '"text"', '7', 'null', '[1]x', '{"a":"\u0000"}', text()],
    ...[`{"a":"${'x'.repeat(1_048_576)}"}`, text()],
  ]
  const { summary } = await read(lines.join('\n'))
  t.match(summary, { counted: 3 })
  t.equal(summary.malformed + summary.counted + summary.unrelated, summary.records)
  t.ok(summary.malformed >= 7, `${summary.malformed}`)
  t.strictSame(summary.firstMalformed[0], {
    source: 'input',
    position: 2,
    reason: 'expected a JSON object',
  })
  t.ok(summary.firstMalformed.some(({ reason }) => reason === 'longer than 1048576 bytes'))
  const many = await read(Array.from({ length: 30 }, () => '{"a":').join('\n'))
  t.match(many.summary, { malformed: 30, records: 30 })
  t.equal(many.summary.firstMalformed.length, 10)
})

t.test('broken elements of a list, and a list that does not end', async (t) => {
  const document = `{"Records":[${EVENTS[0]}, 5 6, {"a":}, ${EVENTS[1]},null,${EVENTS[2]}`
  for (const pieces of [65_536, 3]) {
    const { summary } = await read(document, { pieces })
    t.match(summary, { counted: 3, malformed: 4, records: 7 })
    t.strictSame(
      summary.firstMalformed.map(({ position, reason }) => [position, reason]),
      [
        [2, 'expected an object between the records'],
        [3, 'expected a JSON object'],
        [5, 'expected an object between the records'],
        [7, 'the document ended early'],
      ],
    )
  }
  for (const cut of [`{"Records":[{"a":"b`, `{"Records":[]`, '{\n"a":1']) {
    t.match((await read(cut)).summary, { malformed: 1, records: 1 }, cut)
  }
  const nested = `{"Records":[{"CloudTrailEvent":"{"},{"CloudTrailEvent":"1"},[1],[{"field":5}]]}`
  t.match((await read(nested)).summary, { malformed: 3, unrelated: 1 })
})

t.test('invalid UTF-8 is malformed, in a client id too', async (t) => {
  const [before = '', after = ''] = text({ clientId: 'XX' }).split('XX')
  const broken = Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xfe]), Buffer.from(after)])
  const { summary } = await read(Buffer.concat([broken, Buffer.from(`\n${text()}\n`)]))
  t.match(summary, { counted: 1, malformed: 1, firstMalformed: [{ reason: 'expected UTF-8' }] })
})

t.test('deep JSON, long lines and long records do not end the import', async (t) => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`
  const record = `{"x":${deep}}`
  const { summary } = await read(
    `{"Records":[${record},${text()},{"x":"${'y'.repeat(2_000_000)}"},${text()}]}`,
  )
  t.match(summary, { counted: 2, unrelated: 1, malformed: 1 })
  t.match((await read(`${record}\n${text()}`)).summary, { counted: 1 })
  t.match((await read(`{"a":1${' '.repeat(5000)}}\n${text()}`)).summary, {
    counted: 1,
    unrelated: 1,
  })
  const blank = await read(`${' '.repeat(3_000_000)}\n${text()}`)
  t.match(blank.summary, { counted: 1 })
})

const HEADER = 'user_pool_id,client_id,count,last_used'

t.test('Logs Insights: CSV, JSON, and results of the API', async (t) => {
  const rows = [
    { user_pool_id: EVENT_POOL, client_id: 'a', count: '1204', last_used: '2026-03-10T12:00:00Z' },
    { user_pool_id: EVENT_POOL, client_id: '', count: '3.0', last_used: '2026-03-10 12:00:00.000' },
    { user_pool_id: '', client_id: 'b,"c"', count: '7', last_used: '1773144000000' },
  ]
  const quote = (value: string) => `"${value.replaceAll('"', '""')}"`
  const csv = [HEADER, ...rows.map((row) => Object.values(row).map(quote).join(','))].join('\r\n')
  const api = {
    queryLanguage: 'CWLI',
    results: rows.map((row) => Object.entries(row).map(([field, value]) => ({ field, value }))),
    statistics: { recordsMatched: 1214 },
    status: 'Complete',
  }
  for (const document of [
    csv,
    `\uFEFF${csv}`,
    JSON.stringify(rows),
    JSON.stringify(api, null, 4),
  ]) {
    const { days, summary, peaks } = await read(document)
    const subject = { day: DAY, cached: 0, firstUsed: null, lastUsed: EVENT_TIME }
    t.strictSame(days, [
      { ...subject, kind: 'client', userPoolId: EVENT_POOL, clientId: 'a', issued: 1204 },
      { ...subject, kind: 'client', userPoolId: null, clientId: 'b,"c"', issued: 7 },
      { ...subject, kind: 'unattributed', userPoolId: EVENT_POOL, clientId: null, issued: 3 },
    ])
    t.match(summary, { countedRows: 3, counted: 0, malformed: 0, unattributed: 1 })
    t.strictSame(peaks, [])
  }
  const twice = await read(`${csv}\n${rows.map((row) => JSON.stringify(row)).join('\n')}`)
  t.match(twice.summary, { countedRows: 3 })
  const again = await read(JSON.stringify([...rows, ...rows]))
  t.match(again.summary, { countedRows: 3, duplicates: 3 })
})

t.test(
  'Logs Insights: tokens are counted on the day of the query, or else of the last use',
  async (t) => {
    const last = '2026-03-10T12:00:00Z'
    const csv = [
      'day,user_pool_id,client_id,count,last_used,__proto__',
      ...[
        `2026-03-01 00:00:00.000,p,a,1,${last},x`,
        `2026-03-02,p,a,2,${last},x`,
        `1772496000000,p,a,4,${last},`,
      ],
    ].join('\n')
    const { days, summary } = await read(csv)
    t.strictSame(
      days.map(({ day, issued }) => [day, issued]),
      [
        ['2026-03-01', 1],
        ['2026-03-02', 2],
        ['2026-03-03', 4],
      ],
    )
    t.match(summary, { malformed: 0 })
    const json = JSON.stringify([
      { 'bin(1d)': '2026-03-04', client_id: 'a', count: 5, last_used: last },
    ])
    t.match((await read(json)).days, [{ day: '2026-03-04', issued: 5, userPoolId: null }])
  },
)

t.test('Logs Insights: counts and times that are none are malformed', async (t) => {
  const last = '2026-03-10T12:00:00Z'
  const lines = [
    ...[`p,a,-1,${last}`, `p,a,NaN,${last}`, `p,a,1e3,${last}`, `p,a,1.5,${last}`, `p,a,,${last}`],
    ...[
      `p,a,${'9'.repeat(16)},${last}`,
      'p,a,1,',
      'p,a,1,soon',
      `p,a,1`,
      `"p,a,1,${last}`,
      `p,a"b,1,${last}`,
    ],
    ...['p,a,1,2026-02-30 12:00:00', 'p,a,1,2026-03-10 24:00:00.000'],
  ]
  const { days, summary } = await read([HEADER, ...lines].join('\n'))
  t.strictSame(days, [])
  t.match(summary, { malformed: lines.length, records: lines.length })
  t.strictSame(
    [0, 6, 8].map((index) => summary.firstMalformed[index]?.reason),
    ['count: expected a whole number from 0 on', 'last_used: expected a time', 'expected 4 cells'],
  )
  const row = { client_id: 'a', count: Number.MAX_VALUE, last_used: last }
  t.match((await read(JSON.stringify([row, { ...row, count: null }]))).summary, { malformed: 2 })
  const day = JSON.stringify([{ ...row, count: 1, day: 'Monday' }])
  t.match((await read(day)).summary.firstMalformed, [{ reason: 'day: expected a day' }])
})

t.test('a CSV file without these columns is malformed', async (t) => {
  const { summary } = await read('a,b\n1,2\n')
  t.match(summary, { malformed: 2, counted: 0 })
  t.equal(counted(await read('"unbalanced\n')), 0)
})

t.test('events of the local pool are read, with the client that HTTP Basic proved', async (t) => {
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  const [client] = pool.clients as [LocalUserPool['clients'][number]]
  for (const secret of [client.clientSecrets[0], 'wrong']) {
    const credential = Buffer.from(`${client.clientId}:${secret}`).toString('base64')
    await fetch(pool.tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${credential}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  }
  const { days, summary } = await read(
    pool
      .events()
      .map((it) => JSON.stringify(it))
      .join('\n'),
  )
  t.match(summary, { counted: 1, refused: 1, malformed: 0 })
  t.match(days, [{ userPoolId: pool.userPoolId, clientId: client.clientId, issued: 1 }])
})
