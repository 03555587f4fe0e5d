/** Rows as JSON and CSV: quoted as in RFC 4180, without formulas. */
import t from 'tap'
import { begin, NOON, POOL } from '../../support/usage.ts'

/** RFC 4180, read back by its grammar and nothing else. */
function parse(csv: string): string[][] {
  const rows: string[][] = []
  let cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  for (let match = cell.exec(csv); match !== null; match = cell.exec(csv)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string))
    if (match[3] === ',') continue
    rows.push(cells)
    cells = []
  }
  return rows
}

t.test('four columns by default', async (t) => {
  const { usage, source } = begin(t)
  source.token('issued', 'billing')
  source.token('issued', 'billing')
  source.token('cached', 'billing')
  source.token('refused', null)
  t.equal(
    await usage.csv(),
    'user_pool_id,client_id,count,last_used\r\n' +
      `"${POOL}","billing",2,"2026-03-10T12:00:00Z"\r\n` +
      ',"unverified",0,"2026-03-10T12:00:00Z"\r\n',
  )
  t.equal(
    await usage.json(),
    JSON.stringify([
      { user_pool_id: POOL, client_id: 'billing', count: 2, last_used: '2026-03-10T12:00:00Z' },
      { user_pool_id: null, client_id: 'unverified', count: 0, last_used: '2026-03-10T12:00:00Z' },
    ]),
  )
})

t.test('with wide, a column for every count', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'billing')
  source.token('cached', 'billing')
  source.token('refused', 'billing')
  source.token('unavailable', 'billing')
  clock.seconds += 90 * 24 * 3600
  source.decision(null, 'other')
  source.decision('ERR_SCOPE_INSUFFICIENT', 'other')
  source.decision('ERR_CLIENT_NOT_ALLOWED', 'other')
  const [, billing, other, unverified] = parse(await usage.csv({ wide: true }))
  t.strictSame(billing, [
    ...[POOL, 'billing', '1', '2026-03-10T12:00:00Z', 'client', '2026-03-10T12:00:00Z', 'true'],
    ...['1', '1', '1', '1', '0', '0', ''],
  ])
  t.strictSame(other, [
    ...[POOL, 'other', '0', '2026-06-08T12:00:00Z', 'client', '2026-06-08T12:00:00Z', 'false'],
    ...['0', '0', '0', '0', '1', '2', 'ERR_CLIENT_NOT_ALLOWED 1 ERR_SCOPE_INSUFFICIENT 1'],
  ])
  t.strictSame(unverified, [
    ...['', 'unverified', '0', '', 'unverified', '', 'false', '0', '0', '0', '0', '0', '0', ''],
  ])
  const [row] = JSON.parse(await usage.json({ wide: true })) as Record<string, unknown>[]
  t.strictSame(row, {
    user_pool_id: POOL,
    client_id: 'billing',
    count: 1,
    last_used: '2026-03-10T12:00:00Z',
    kind: 'client',
    first_used: '2026-03-10T12:00:00Z',
    unused: true,
    tokens_issued: 1,
    tokens_cached: 1,
    tokens_refused: 1,
    tokens_unavailable: 1,
    requests_accepted: 0,
    requests_refused: 0,
    refused_by_code: '',
  })
})

const HOSTILE = [
  '=HYPERLINK("http://evil.example","x")',
  ...['+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1'],
  ...[
    'a,b',
    'a"b',
    'a\r\nb',
    '"',
    "'",
    '""',
    'é',
    '\u2028',
    '<script>',
    'a=1',
    'a-b',
    '1+1',
    'a|b',
  ],
]

t.test('hostile names are unchanged in JSON, and never a formula in CSV', async (t) => {
  const { usage, source } = begin(t)
  for (const name of HOSTILE) source.token('issued', name, name)
  const csv = await usage.csv()
  const [head, ...rows] = parse(csv)
  t.strictSame(head, ['user_pool_id', 'client_id', 'count', 'last_used'])
  t.equal(rows.length, HOSTILE.length + 1)
  const defused = (name: string) =>
    (/^[=+\-@\t\r\n＝＋－＠]/.test(name) ? `'${name}` : name).replace(/(?<=[\t\r\n])=/, "'=")
  t.strictSame(
    rows.slice(0, -1).map(([pool, client]) => [pool, client]),
    [...HOSTILE].sort().map((name) => [defused(name), defused(name)]),
  )
  for (const cells of rows) {
    for (const cell of cells) t.notMatch(cell, /^[=+\-@\t\r\n＝＋－＠]/)
  }
  const names = (JSON.parse(await usage.json()) as { client_id: string }[]).map(
    (it) => it.client_id,
  )
  t.strictSame(names.slice(0, -1), [...HOSTILE].sort(), 'JSON has them as they are')
})

/** Readers of other separators end a cell where RFC 4180 does not, quotes or none. */
const SEPARATORS = [
  ',',
  ';',
  '|',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\v',
  '\f',
  '\u0085',
  '\u2028',
  '\u2029',
]

t.test('no cell has a formula after a separator, a quote or a blank', async (t) => {
  const { usage, source } = begin(t)
  const formulas = [...'=+-@＝＋－＠'].map((sign) => `${sign}cmd|'/c calc'!A0`)
  const between = ['', ' ', '  ', '"', '""', "'", ' "', '\u00a0']
  const names = SEPARATORS.flatMap((separator) =>
    formulas.flatMap((formula) => between.map((it) => `a${separator}${it}${formula}`)),
  )
  for (const [index, name] of names.entries()) source.token('issued', `${index} ${name}`)
  for (const it of between)
    for (const formula of formulas) source.token('issued', `${it}${formula}`)
  const csv = await usage.csv()
  const [, ...rows] = parse(csv)
  t.equal(rows.length, names.length + between.length * formulas.length + 1)
  for (const reader of SEPARATORS) {
    // As a reader takes it that splits first, and one that knows quotes.
    for (const cell of csv.split(reader)) {
      const bare = cell.replace(/^["\s]+/, '')
      if (/^[=+\-@＝＋－＠]/.test(bare)) t.fail(`${JSON.stringify(reader)}: ${cell.slice(0, 40)}`)
    }
  }
  const [first] = rows.map(([, client]) => client).filter((it) => it?.startsWith('0 '))
  t.equal(first, "0 a,'=cmd|'/c calc'!A0")
})

t.test('text is quoted, numbers and booleans are not', async (t) => {
  const { usage, source } = begin(t)
  source.token('issued', '12')
  const [, row] = (await usage.csv({ wide: true })).split('\r\n')
  t.equal(
    row,
    `"${POOL}","12",1,"2026-03-10T12:00:00Z","client","2026-03-10T12:00:00Z",false,1,0,0,0,0,0,""`,
  )
})

for (const [options, message] of [
  [{ wide: 'yes' }, 'wide: expected a boolean, got "yes". Pass true or false.'],
  [
    { width: true },
    'width: expected one of wide, from, to, by, group, clients, templates, peaks, quota, got an unknown name. Rename or remove it.',
  ],
] as const) {
  t.test(message, async (t) => {
    const { usage } = begin(t)
    const expected = { code: 'ERR_OPTION_INVALID', message: `cognito-m2m: ${message}` }
    await t.rejects(usage.csv(options as object), expected)
    await t.rejects(usage.json(options as object), expected)
  })
}

t.test('the time of a report is that of the clock', async (t) => {
  const { usage } = begin(t)
  t.equal((await usage.report()).at, NOON)
})
