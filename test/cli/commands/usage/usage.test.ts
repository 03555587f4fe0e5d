/** `cognito-m2m usage`: imports to a file, reports from it, and what it rejects. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { toFlagError } from '../../../../src/cli/commands/usage/files.ts'
import { OptionError } from '../../../../src/index.ts'
import { EVENT_POOL, EVENT_TIME, tokenEvent } from '../../../support/cloudtrail.ts'
import { HOSTILE, isPlain, run } from '../../../support/run-cli.ts'

const FIXTURES = 'fixtures/usage'
const INSIGHTS = join(FIXTURES, 'insights-2026-03.csv')
const TRAIL = join(FIXTURES, 'cloudtrail-2026-04-01.json.gz')
const PRICE = join(FIXTURES, 'price.json')
const CLIENTS = join(FIXTURES, 'clients.json')
const now = () => Date.parse('2026-04-10T12:00:00Z')

const event = (clientId: string) => JSON.stringify(tokenEvent({ clientId }))
const input = (text: string) => ({ stdin: () => Readable.from([Buffer.from(text)]) })

/** Imports text to a new file. */
async function importText(folder: string, text: string): Promise<string> {
  const data = join(folder, 'usage.json')
  const { code, err } = await run(['usage', 'import', '--data', data], input(text))
  t.strictSame([code, err], [0, ''])
  return data
}

t.test('import adds files to the data, once, and prints what it read', async (t) => {
  const data = join(t.testdir({}), 'usage.json')
  const first = await run(['usage', 'import', INSIGHTS, TRAIL, '--data', data])
  t.strictSame([first.code, first.err], [0, ''])
  t.equal(
    first.out,
    [
      `sources: 2, records: 132, added to ${data}:`,
      '              5  tokens of /oauth2/token',
      '            124  rows of Logs Insights',
      '             32  of these without a client',
      '              1  rejected token requests',
      '              2  other events',
      '',
    ].join('\n'),
  )
  const before = readFileSync(data, 'utf8')
  t.notMatch(before, /192\.0\.2/)
  const again = await run(['usage', 'import', '--json', '--data', data, TRAIL])
  t.equal(again.code, 0)
  t.match(JSON.parse(again.out), { data, counted: 0, duplicates: 6, unrelated: 2 })
  const { days } = JSON.parse(before)
  t.strictSame(JSON.parse(readFileSync(data, 'utf8')).days, days)
})

t.test(
  'import: standard input, pipes of the shell, and malformed records end with 1',
  async (t) => {
    const folder = t.testdir({ logs: { 'a.json': event('a') } })
    symlinkSync('a.json', join(folder, 'logs/link.json'))
    const data = join(folder, 'usage.json')
    const piped = await run(
      ['usage', 'import', '-', join(folder, 'logs'), '--data', data],
      input(`${event('b')}\n{"a":\n`),
    )
    t.equal(piped.code, 1)
    t.equal(
      piped.err,
      [
        `cognito-m2m: skipped ${join(folder, 'logs/link.json')}: a symbolic link`,
        'cognito-m2m: standard input:2: expected a JSON object',
        'cognito-m2m: malformed records: 1. Their tokens are missing. Get these files again.',
        '',
      ].join('\n'),
    )
    t.match(piped.out, /\n {14}1 {2}malformed\n {14}1 {2}skipped files\n$/)
    t.match(JSON.parse(readFileSync(data, 'utf8')).days, [{ clientId: 'a' }, { clientId: 'b' }])
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    symlinkSync(fifo, join(folder, 'fd'))
    const done = run(['usage', 'import', join(folder, 'fd'), '--data', data])
    spawn('sh', ['-c', 'gzip -c "$1" > "$2"', 'sh', join(folder, 'logs/a.json'), fifo])
    t.match(await done, { code: 0, err: '', out: /1 {2}duplicates/ })
  },
)

t.test(
  'import: hostile names reach a terminal escaped, and skipped files are limited',
  async (t) => {
    const folder = t.testdir({ logs: {} })
    for (let index = 0; index < 102; index += 1) symlinkSync('x', join(folder, 'logs', `${index}`))
    const stdin = () => Readable.from([Buffer.from(event(HOSTILE))])
    const data = join(folder, 'usage.json')
    const { code, err } = await run(
      ['usage', 'import', '-', join(folder, 'logs'), '--data', data],
      { stdin },
    )
    t.equal(code, 0)
    t.match(err, /\ncognito-m2m: skipped more files: 2\n$/)
    for (const flags of [[], ['--json'], ['--csv']]) {
      const { out } = await run(['usage', 'report', '--data', data, ...flags], { now })
      t.ok(isPlain(out.replaceAll('\r', '')), JSON.stringify(out))
    }
  },
)

t.test('Ctrl-C ends an import, and leaves the data unchanged', async (t) => {
  const folder = t.testdir({})
  const data = await importText(folder, event('a'))
  const before = readFileSync(data, 'utf8')
  const controller = new AbortController()
  const stdin = () => {
    setImmediate(() => controller.abort())
    return new PassThrough()
  }
  const args = ['usage', 'import', '--data', data]
  const { signal } = controller
  t.match(await run(args, { signal, stdin }), { code: 130, out: '', err: '' })
  t.equal(readFileSync(data, 'utf8'), before)
})

t.test(
  'report: tokens and cost by client, the forecast, the peak and notes in 80 columns',
  async (t) => {
    const data = join(t.testdir({}), 'usage.json')
    await run(['usage', 'import', INSIGHTS, TRAIL, '--data', data])
    const { code, out, err } = await run(
      ['usage', 'report', '--data', data, '--price', PRICE, '--clients', CLIENTS],
      { now },
    )
    t.strictSame([code, err], [0, ''])
    for (const line of out.split('\n')) t.ok(line.length <= 80, line)
    t.match(
      out,
      /^2026-03-01 to 2026-04-02 by month and client, in USD\nperiod +name +issued +cached +cost\n/,
    )
    t.match(out, /\n2026-03 {5}Billing +44\d,\d{3} +0 +9\d\d\.\d\d\n/)
    t.match(out, /\n2026-03 {5}unattributed +7,\d{3} +0 +\d\d\.\d\d\n/)
    t.match(out, /\n2026-04 {5}total +5 +0 +0\.01\nall +total +64\d,\d{3} +0 +1,3\d\d\.\d\d\n/)
    t.match(
      out,
      /\nforecast for 2026-04: [\d,]+\.\d\d USD\n {2}0\.01 USD so far, 1,3\d\d\.\d\d USD in the month before\n/,
    )
    t.match(
      out,
      /\npeak in eu-west-1: 3 requests\/s at 2026-04-01T08:00:00Z\n {2}2 % of the quota, 150\/s\n/,
    )
    t.match(out, /\nnote: Records of unattributed requests/)
    const old = await run(
      ['usage', 'report', '--data', data, '--price', PRICE, '--quota', '2', '--group', 'total'],
      {
        now: () => Date.parse('2027-08-01T00:00:00Z'),
      },
    )
    t.match(old.out, /\n {2}150 % of the quota, 2\/s\nprices as of 2026-08-01\n/)
    t.match(old.out, /\nnote: The price list is of 2026-08-01, 365 days old\./)
    t.match(old.out, /\n2026-03 {5}total .*\n2026-04 {5}total .*\nall /)
  },
)

t.test('report: ranges, days, groups, JSON and CSV', async (t) => {
  const data = join(t.testdir({}), 'usage.json')
  await run(['usage', 'import', INSIGHTS, '--data', data])
  const report = (...flags: string[]) => run(['usage', 'report', '--data', data, ...flags], { now })
  const team = await report(
    '--group',
    'team',
    '--clients',
    CLIENTS,
    '--by',
    'day',
    '--from',
    '2026-03-30',
    '--to',
    '2026-03-31',
  )
  t.match(team.out, /^2026-03-30 to 2026-03-31 by day and team, without a price\n/)
  t.match(team.out, /\n2026-03-30 {2}payments +1\d,\d{3} +0\n/)
  t.match(team.out, /\n2026-03-31 {2}\(none\) +2\d\d +0\n/)
  t.notMatch(team.out, /forecast|peak|saved/)
  const json = JSON.parse(
    (await report('--json', '--group', 'tag:env', '--clients', CLIENTS, '--price', PRICE)).out,
  )
  t.match(json.history, {
    group: 'tag:env',
    rows: [{ group: 'prod' }, { group: 'test' }, { group: null }],
  })
  t.match(json.forecast, { month: '2026-03' })
  const csv = await report('--csv', '--group', 'pool')
  t.match(csv.out, /^period,group,.*\r\n"2026-03","eu-west-1_AbCdEfGhI",/)
  t.match((await report('--from', '2027-01', '--to', '2027-01')).out, /\nall +total +0 +0\n/)
})

t.test('report: resource servers of templates, names of the AWS CLI', async (t) => {
  const folder = t.testdir({
    'template.yaml': [
      'Resources:',
      '  Client:',
      '    Type: AWS::Cognito::UserPoolClient',
      '    Properties: { ClientName: Orders, UserPoolId: x, AllowedOAuthScopes: [!Ref S, orders/read] }',
      'Parameters: { S: { Type: String } }',
    ].join('\n'),
    'broken.yaml': 'Resources: [',
    tf: {
      'main.tf': 'resource "aws_cognito_user_pool_client" "c" { name = "Orders" }',
      'terraform.tfvars': 'stage = "prod"',
    },
    'list.json': JSON.stringify({
      UserPoolClients: [{ ClientId: 'a', UserPoolId: EVENT_POOL, ClientName: 'Orders' }],
    }),
  })
  const data = await importText(folder, event('a'))
  const report = (...flags: string[]) =>
    run(['usage', 'report', '--data', data, '--clients', join(folder, 'list.json'), ...flags], {
      now,
    })
  t.match((await report()).out, / Orders +1 /)
  const template = ['--group', 'resourceServer', '--template', join(folder, 'template.yaml')]
  t.match((await report(...template, '--parameter', 'S=billing/read')).out, / billing, orders +1 /)
  t.match(
    (await report(...template, '--parameter', 'X=1')).err,
    /--parameter: expected a parameter/,
  )
  const terraform = await report('--template', join(folder, 'tf'))
  t.match(terraform, {
    code: 0,
    err: /^cognito-m2m: warning: .*terraform\.tfvars: expected a variable/,
  })
  t.match(await report('--template', join(folder, 'broken.yaml')), { code: 2, err: /broken\.yaml/ })
})

t.test(
  'report: counted tokens add what caches served, and --compare names who bypasses',
  async (t) => {
    const folder = t.testdir({})
    const data = await importText(folder, [event('direct'), event('proxy')].join('\n'))
    const counted = join(folder, 'counted.json')
    const day = {
      day: '2026-03-10',
      kind: 'client',
      userPoolId: EVENT_POOL,
      clientId: 'proxy',
      issued: 1,
      cached: 2000,
      firstUsed: EVENT_TIME,
      lastUsed: EVENT_TIME,
    }
    writeFileSync(counted, JSON.stringify([day]))
    const report = (...flags: string[]) => run(['usage', 'report', ...flags], { now })
    const both = await report('--data', data, '--counted', counted, '--price', PRICE)
    t.match(both.out, /\nall +total +2 +2,000 +0\.00\nsaved by caching: 4\.50 USD\n/)
    t.match((await report('--counted', counted)).out, / proxy +1 +2,000\n/)
    const compare = ['--data', data, '--counted', counted, '--compare']
    const text = await report(...compare, '--price', PRICE)
    t.equal(
      text.out,
      [
        '2026-03-10 to 2026-03-10',
        'name                   path         billed       direct       cached       saved',
        'direct                 direct            1            1            0        0.00',
        'proxy                  proxy             1            0        2,000        4.50',
        'total                                    2            1        2,000        4.50',
        'billed: 0.00 USD',
        '',
      ].join('\n'),
    )
    for (const line of text.out.split('\n')) t.ok(line.length <= 80, line)
    t.notMatch((await report(...compare)).out, /billed:/)
    t.match(JSON.parse((await report(...compare, '--json')).out), {
      clients: [{ path: 'direct' }, {}],
    })
    t.match(
      (await report(...compare, '--csv')).out,
      /^user_pool_id,client_id,name,team,path,.*\r\n"eu-west-1_AbCdEfGhI","direct",,,"direct",1,0,1,0,,\r\n/,
    )
    writeFileSync(counted, JSON.stringify([{ ...day, day: '2026-03-11' }]))
    t.equal(
      (await report(...compare)).out,
      'nothing to compare\nnote: No day has data of both sides.\n',
    )
    writeFileSync(counted, '[]')
    t.equal((await report('--counted', counted)).out, 'no tokens\n')
    writeFileSync(counted, JSON.stringify([{ ...day, kind: 'unattributed', clientId: null }]))
    t.match((await report(...compare)).out, /\nunattributed +/)
  },
)

t.test('invalid input ends with 2 and one line, and writes nothing', async (t) => {
  const folder = t.testdir({
    'text.txt': 'text',
    logs: {},
    'empty.json': '{}',
    'null.json': 'null',
  })
  const file = (name: string) => join(folder, name)
  const data = await importText(folder, event('a'))
  const before = [readFileSync(data, 'utf8'), statSync(data).mtimeMs]
  const price = (text: string): string => {
    writeFileSync(file('price.json'), text)
    return file('price.json')
  }
  for (const [args, message] of [
    [[], /error: missing required argument 'action'|missing required argument 'action'/],
    [['x'], /value 'x' is invalid for argument 'action'\. Allowed choices are import, report\./],
    [['import'], /^--data: expected a file for the imported tokens, got none\./],
    [['import', '--data', data], /^path: expected files, folders or piped input, got none\./],
    [['import', '-', '--data', data], /^path: expected files, folders or piped input, got none\./],
    [
      ['import', file('missing'), '--data', data],
      /^path: \[0\]: expected a file or a folder, got none at/,
    ],
    [
      ['import', INSIGHTS, '--data', file('text.txt')],
      /^--data: expected JSON, got another text\./,
    ],
    [
      ['import', INSIGHTS, '--data', file('empty.json')],
      /^--data: version: expected 1, got undefined\./,
    ],
    [
      ['import', INSIGHTS, '--data', folder],
      /^--data: expected a readable file, got ".*" \(EISDIR\)\./,
    ],
    [['import', INSIGHTS, '--data', file('no/x.json')], /^--data: expected a writable path/],
    [
      ['import', INSIGHTS, '--data', data, '--max-bytes', '0'],
      /^--max-bytes: expected a whole number of bytes/,
    ],
    [
      ['import', INSIGHTS, '--data', data, '--max-bytes', '9'],
      /^--max-bytes: expected at most 9 bytes after decompression/,
    ],
    [
      ['import', INSIGHTS, '--data', data, '--price', PRICE],
      /^--price: expected an option of import, got one of report\. Remove it, or run usage report\./,
    ],
    [
      ['report', '--data', data, '--max-bytes', '9'],
      /^--max-bytes: expected an option of report, got one of import\./,
    ],
    [['report'], /^--data: expected --data or --counted, got none\./],
    [['report', 'x'], /^path: expected no path, got "x"\./],
    [['report', '--data', data, '--json', '--csv'], /^--csv: expected --json or --csv, got both\./],
    [
      ['report', '--data', data, '--compare'],
      /^--compare: expected --data and --counted, got less\./,
    ],
    [['report', '--data', file('missing')], /^--data: expected a readable file/],
    [['report', '--counted', file('empty.json')], /^--counted: expected an array, got an object\./],
    [
      ['report', '--data', data, '--from', 'May'],
      /^--from: expected a day as YYYY-MM-DD or a month as YYYY-MM, got "May"\./,
    ],
    [
      ['report', '--data', data, '--from', '2026-05', '--to', '2026-04'],
      /^--to: expected a day from 2026-05-01 on/,
    ],
    [['report', '--data', data, '--by', 'week'], /^--by: expected "day" or "month", got "week"\./],
    [['report', '--data', data, '--group', 'env'], /^--group: expected client, pool, /],
    [
      ['report', '--data', data, '--quota', 'x'],
      /^--quota: expected a number of requests from 1 to 1000000, got NaN\./,
    ],
    [
      ['report', '--data', data, '--price', file('text.txt')],
      /^--price: expected JSON in ".*text\.txt", got another text\./,
    ],
    [
      ['report', '--data', data, '--price', price('{"currency":"USD","tiers":[]}')],
      /^--price: tiers: expected an array of 1 to 20 tiers/,
    ],
    [
      ['report', '--data', data, '--clients', file('empty.json')],
      /^--clients: expected an array or a function, got an object\./,
    ],
    [
      ['report', '--data', data, '--clients', file('null.json')],
      /^--clients: expected an array or a function, got null\./,
    ],
    [
      ['report', '--data', data, '--template', folder],
      /^--template: expected a folder with templates/,
    ],
  ] as const) {
    const { code, out, err } = await run(['usage', ...args], { now })
    t.equal(code, 2, args.join(' '))
    t.equal(out, '')
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err.slice('cognito-m2m: '.length), message)
  }
  t.strictSame([readFileSync(data, 'utf8'), statSync(data).mtimeMs], before)
  t.notOk(existsSync(file('no')))
  const aws = join(folder, 'aws.json')
  writeFileSync(aws, '{"UserPoolClients":[null]}')
  t.match(await run(['usage', 'report', '--data', data, '--clients', aws]), {
    code: 2,
    err: /--clients: \[0\]\.clientId/,
  })
})

t.test('a gzip bomb ends at --max-bytes', async (t) => {
  const data = join(t.testdir({}), 'usage.json')
  const stdin = () => Readable.from([gzipSync(Buffer.alloc(5_000_000, '\n'))])
  const bomb = await run(['usage', 'import', '--data', data, '--max-bytes', '1000000'], { stdin })
  t.match(bomb, { code: 2, out: '', err: /--max-bytes: expected at most 1000000 bytes/ })
  t.notOk(existsSync(data))
})

t.test('errors of the library name the flag; other errors are unchanged', (t) => {
  const flags = { price: '--price' }
  const convert = (option: string) =>
    (toFlagError(flags, new OptionError(option, 'problem')) as OptionError).option
  t.strictSame(
    ['price', 'price.tiers[0].upTo', 'price[0]', 'toString', '', 'x.price'].map(convert),
    [...['--price', '--price: tiers[0].upTo', '--price: [0]', 'toString', '', 'x.price']],
  )
  const error = new Error('x')
  t.equal(toFlagError(flags, error), error)
  t.end()
})
