/** Usage by day and month: groups, ranges, and costs that add up to the bill. */
import t from 'tap'
import {
  type CreateUsageHistoryOptions,
  compareUsage,
  createUsageHistory,
  forecastUsage,
  toHistoryCsv,
  toHistoryJson,
  type UsageDay,
  type UsageHistory,
  type UsagePrice,
} from '../../../../src/tokens/usage/index.ts'
import { createDay as day, POOL } from '../../../support/usage.ts'

const OTHER_POOL = 'us-east-1_ZyXwVuTsR'
const PRICE: UsagePrice = {
  currency: 'USD',
  per: 10,
  tiers: [{ upTo: 100, price: 1 }, { price: 0.5 }],
  asOf: '2026-03-01',
}
const now = () => Date.parse('2026-04-10T12:00:00Z')

const DAYS: readonly UsageDay[] = [
  day('2026-03-30', 'a', 80, { firstUsed: 100, lastUsed: 500 }),
  day('2026-03-31', 'a', 40, { cached: 60, firstUsed: 200, lastUsed: 600 }),
  day('2026-03-31', 'b', 80, { userPoolId: OTHER_POOL, resourceServers: ['billing', 'orders'] }),
  day('2026-04-01', 'a', 10),
  { ...day('2026-04-01', '', 30), kind: 'unattributed', clientId: null },
]

function create(options: CreateUsageHistoryOptions = {}, days = DAYS): UsageHistory {
  return createUsageHistory(days, { price: PRICE, now, ...options })
}

const pick = ({ rows }: UsageHistory) =>
  rows.map(({ period, group, issued, cost }) => [period, group, issued, cost])

t.test('months are the default: the costs of rows add up to the bill of the month', (t) => {
  const history = create()
  // March: 200 tokens, 100 at 1 and 100 at 0.5 for ten: 15. April: 40 tokens: 4.
  t.strictSame(pick(history), [
    ['2026-03', 'a', 120, 9],
    ['2026-03', 'b', 80, 6],
    ['2026-04', 'unattributed', 30, 3],
    ['2026-04', 'a', 10, 1],
  ])
  t.strictSame(
    history.periods.map(({ period, complete, issued, cost }) => [period, complete, issued, cost]),
    [
      ['2026-03', false, 200, 15],
      ['2026-04', false, 40, 4],
    ],
  )
  // 260 tokens in March would cost 18.
  t.strictSame(history.total, { issued: 240, cached: 60, cost: 19, withoutCache: 22, saved: 3 })
  t.match(history, {
    at: now() / 1000,
    from: '2026-03-30',
    to: '2026-04-01',
    by: 'month',
    group: 'client',
    currency: 'USD',
    priceAsOf: '2026-03-01',
  })
  const [first] = history.rows
  t.strictSame(first, {
    period: '2026-03',
    start: Date.parse('2026-03-01T00:00:00Z') / 1000,
    group: 'a',
    kind: 'client',
    userPoolId: POOL,
    region: 'eu-west-1',
    clientId: 'a',
    name: null,
    team: null,
    tags: {},
    resourceServers: [],
    issued: 120,
    cached: 60,
    cost: 9,
    withoutCache: 12,
    saved: 3,
    firstUsed: 100,
    lastUsed: 600,
  })
  t.end()
})

t.test('days have a part of the cost of their month, also in a range within it', (t) => {
  const history = create({ by: 'day', from: '2026-03-31', to: '2026-04-02' })
  t.strictSame(pick(history), [
    ['2026-03-31', 'b', 80, 6],
    ['2026-03-31', 'a', 40, 3],
    ['2026-04-01', 'unattributed', 30, 3],
    ['2026-04-01', 'a', 10, 1],
  ])
  t.strictSame(
    history.periods.map(({ period, start, complete, issued }) => [period, start, complete, issued]),
    [
      ['2026-03-31', Date.parse('2026-03-31T00:00:00Z') / 1000, true, 120],
      ['2026-04-01', Date.parse('2026-04-01T00:00:00Z') / 1000, true, 40],
      ['2026-04-02', Date.parse('2026-04-02T00:00:00Z') / 1000, true, 0],
    ],
    'a day without tokens is a period',
  )
  t.equal(create({ by: 'day', to: '2026-04-10' }).periods.at(-1)?.complete, false, 'today')
  t.end()
})

t.test('a month is complete if it has ended and is inside of the range', (t) => {
  const complete = (options: CreateUsageHistoryOptions) =>
    create(options).periods.map((it) => [it.period, it.complete])
  t.strictSame(complete({ from: '2026-03', to: '2026-04' }), [
    ['2026-03', true],
    ['2026-04', false],
  ])
  t.strictSame(complete({ from: '2026-03', to: '2026-03-30' }), [['2026-03', false]])
  t.strictSame(complete({ from: '2026-02', to: '2026-02' }), [['2026-02', true]])
  t.end()
})

const CLIENTS = [
  { clientId: 'a', name: 'Orders', team: 'shop', tags: { env: 'prod', __proto__x: '1' } },
  { clientId: 'b', userPoolId: OTHER_POOL, name: 'Billing', team: 'money', resourceServers: ['x'] },
  { clientId: 'b', name: 'not this one' },
]

t.test('rows of each group', (t) => {
  const group = (name: CreateUsageHistoryOptions['group']) =>
    pick(create({ group: name as 'team', clients: CLIENTS, to: '2026-03' }))
  t.strictSame(group('pool'), [
    ['2026-03', POOL, 120, 9],
    ['2026-03', OTHER_POOL, 80, 6],
  ])
  t.strictSame(group('region'), [
    ['2026-03', 'eu-west-1', 120, 9],
    ['2026-03', 'us-east-1', 80, 6],
  ])
  t.strictSame(group('resourceServer'), [
    ['2026-03', null, 120, 9],
    ['2026-03', 'billing, orders', 80, 6],
  ])
  t.strictSame(group('team'), [
    ['2026-03', 'shop', 120, 9],
    ['2026-03', 'money', 80, 6],
  ])
  t.strictSame(group('tag:env'), [
    ['2026-03', 'prod', 120, 9],
    ['2026-03', null, 80, 6],
  ])
  t.strictSame(group('tag:__proto__'), [['2026-03', null, 200, 15]])
  t.strictSame(group('total'), [['2026-03', 'total', 200, 15]])
  t.end()
})

t.test('names from a list, a function and templates', (t) => {
  const describe = (options: CreateUsageHistoryOptions) =>
    create({ ...options, to: '2026-03' }).rows.map(({ name, team, tags, resourceServers }) => [
      ...[name, team, { ...tags }, resourceServers],
    ])
  t.strictSame(describe({ clients: CLIENTS }), [
    ['Orders', 'shop', { env: 'prod', __proto__x: '1' }, []],
    ['Billing', 'money', {}, ['billing', 'orders']],
  ])
  const asked: unknown[] = []
  const clients: CreateUsageHistoryOptions['clients'] = (client) => {
    asked.push(client)
    return client.clientId === 'a' ? { name: 'A', team: 't' } : undefined
  }
  t.strictSame(describe({ clients }), [
    ['A', 't', {}, []],
    [null, null, {}, ['billing', 'orders']],
  ])
  t.strictSame(asked.slice(0, 2), [
    { userPoolId: POOL, clientId: 'a' },
    { userPoolId: OTHER_POOL, clientId: 'b' },
  ])
  const template = {
    clients: [
      {
        id: 'OrdersClient',
        name: { value: 'Orders' },
        scopes: { items: [{ value: 'z/read' }, { value: 'https://a.b/c/read' }, { value: 'z/w' }] },
      },
      { id: 'Other', name: { value: undefined }, scopes: { items: [{ value: undefined }] } },
      { id: 'b', scopes: { items: [{ value: 'y/read' }, { value: 'openid' }] } },
      { id: 'None' },
    ],
  }
  const days = [
    day('2026-03-01', 'a', 3),
    day('2026-03-01', 'b', 2),
    day('2026-03-01', 'Orders', 1),
  ]
  const servers = (options: CreateUsageHistoryOptions) =>
    create({ templates: [template], ...options }, days).rows.map((row) => row.resourceServers)
  t.strictSame(servers({ clients: CLIENTS }), [
    ['https://a.b/c', 'z'],
    ['y'],
    ['https://a.b/c', 'z'],
  ])
  t.strictSame(servers({}), [[], ['y'], ['https://a.b/c', 'z']])
  t.strictSame(
    servers({ clients: [{ clientId: 'a', name: 'Orders', resourceServers: ['q', 'p', 'q'] }] })[0],
    ['p', 'q'],
  )
  t.end()
})

t.test('a client of an unknown user pool has the entry of its id', (t) => {
  const days = [day('2026-03-01', 'b', 3, { userPoolId: null })]
  const [row] = create({ clients: CLIENTS }, days).rows
  t.match(row, { name: 'Billing', userPoolId: null, region: null })
  const [local] = create({}, [day('2026-03-01', 'b', 3, { userPoolId: 'odd pool' })]).rows
  t.match(local, { userPoolId: 'odd pool', region: null })
  t.end()
})

t.test('rows of equal tokens are ordered by cached tokens, then by group', (t) => {
  const days = ['c', 'a', 'b'].map((id) => day('2026-03-01', id, 1))
  days.push(
    day('2026-03-01', 'z', 1, { cached: 1 }),
    day('2026-03-01', 'a', 1, { userPoolId: null }),
  )
  t.strictSame(
    create({}, days).rows.map(({ group }) => group),
    ['z', 'a', 'a', 'b', 'c'],
  )
  const byTeam = [day('2026-03-01', 'a', 1), day('2026-03-01', 'b', 1, { userPoolId: OTHER_POOL })]
  for (const ordered of [byTeam, byTeam.toReversed()]) {
    const { rows } = create({ clients: CLIENTS, group: 'tag:env' }, ordered)
    t.strictSame(
      rows.map(({ group }) => group),
      [null, 'prod'],
    )
  }
  t.end()
})

t.test('without a price, costs are null; without data there are no periods', (t) => {
  const history = createUsageHistory(DAYS)
  t.match(history, {
    currency: null,
    priceAsOf: null,
    notes: [/^Records of unattributed/],
    total: { issued: 240, cached: 60, cost: null, withoutCache: null, saved: null },
  })
  t.equal(history.rows[0]?.cost, null)
  const empty = createUsageHistory([], { now })
  t.match(empty, { from: null, to: null, rows: [], periods: [], notes: [] })
  t.strictSame(
    createUsageHistory([], { now, from: '2026-03-01', to: '2026-03-02', by: 'day' }).periods.length,
    2,
  )
  t.match(createUsageHistory([], { from: '2026-03-05' }), { from: '2026-03-05', to: '2026-03-05' })
  t.match(createUsageHistory([], { to: '2026-03-05' }), { from: '2026-03-05', to: '2026-03-05' })
  t.match(create({ from: '2026-05-05' }), { from: '2026-05-05', to: '2026-05-05', rows: [] })
  t.match(create({ to: '2026-01' }), { from: '2026-01-31', to: '2026-01-31', rows: [] })
  t.end()
})

t.test('notes: prices without a date or of long ago, unattributed and other clients', (t) => {
  const { asOf: _, ...undated } = PRICE
  const notes = (price: UsagePrice, days: readonly UsageDay[] = []) =>
    createUsageHistory(days, { price, now }).notes
  t.strictSame(notes(undated), [
    'The price list has no as-of date. Compare it with the current one of Cognito.',
  ])
  t.strictSame(notes({ ...PRICE, asOf: '2025-10-12' }), [])
  t.strictSame(notes({ ...PRICE, asOf: '2025-10-11' }), [
    'The price list is of 2025-10-11, 181 days old. Compare it with the current one of Cognito.',
  ])
  const other: UsageDay = {
    ...day('2026-03-01', '', 1),
    kind: 'other',
    clientId: null,
    userPoolId: null,
  }
  t.strictSame(notes(PRICE, [other]), ['Clients beyond the limit are counted together as other.'])
  t.end()
})

t.test('the quota is shown with the peaks of the range, by Region and day', (t) => {
  const peak = (region: string, at: string, requests: number) => ({
    region,
    day: at,
    requests,
    at: Date.parse(`${at}T01:02:03Z`) / 1000,
  })
  const [west, east, later, outside] = [
    peak('us-west-2', '2026-03-30', 151),
    peak('eu-west-1', '2026-03-31', 3),
    peak('us-west-2', '2026-03-31', 9),
    peak('us-west-2', '2026-05-01', 9),
  ]
  const peaks = [later, west, outside, east]
  t.strictSame(create({ peaks }).quota, { perSecond: 150, peaks: [east, west, later] })
  t.strictSame(create({ quota: 300 }).quota, { perSecond: 300, peaks: [] })
  t.end()
})

t.test('CSV and JSON have every column, without formulas', (t) => {
  const clients = [{ clientId: 'a', name: '=1+1', team: '@x', tags: { '-k': 'v', e: 'p' } }]
  const history = create({ clients, from: '2026-03-31', to: '2026-03-31', by: 'day' })
  t.equal(
    toHistoryCsv(history),
    'period,group,user_pool_id,client_id,region,name,team,tags,resource_servers,tokens_issued,tokens_cached,cost,saved,currency,first_used,last_used\r\n' +
      `"2026-03-31","b","${OTHER_POOL}","b","us-east-1",,,"","billing orders",80,0,6,0,"USD",,\r\n` +
      `"2026-03-31","a","${POOL}","a","eu-west-1","'=1+1","'@x","'-k=v e=p","",40,60,3,3,"USD","1970-01-01T00:03:20Z","1970-01-01T00:10:00Z"\r\n`,
  )
  const [, row] = JSON.parse(toHistoryJson(history)) as object[]
  t.match(row, { name: '=1+1', tags: '-k=v e=p', tokens_issued: 40, cost: 3, currency: 'USD' })
  t.equal(JSON.parse(toHistoryJson(createUsageHistory(DAYS)))[0].cost, null)
  t.end()
})

for (const [option, value, problem] of [
  [
    'from',
    '2026-13',
    'expected a day as YYYY-MM-DD or a month as YYYY-MM, got "2026-13". Correct the date.',
  ],
  [
    'from',
    '2026-02-30',
    'expected a day as YYYY-MM-DD or a month as YYYY-MM, got "2026-02-30". Correct the date.',
  ],
  [
    'from',
    '1969-12-31',
    'expected a day as YYYY-MM-DD or a month as YYYY-MM, got "1969-12-31". Correct the date.',
  ],
  [
    'to',
    20260301,
    'expected a day as YYYY-MM-DD or a month as YYYY-MM, got 20260301. Correct the date.',
  ],
  ['to', '2026-03-01', 'expected a day from 2026-03-30 on, got "2026-03-01". Pass a later day.'],
  ['from', '2010-01', 'expected a range of at most 3660 days, got 5935. Pass a shorter range.'],
  ['by', 'week', 'expected "day" or "month", got "week". Pass one of the two.'],
  [
    ...['group', 'tag:'],
    'expected client, pool, region, resourceServer, team, total or tag:NAME, got "tag:". Pass one of them.',
  ],
  [
    'quota',
    0,
    'expected a number of requests from 1 to 1000000, got 0. Pass a number in this range.',
  ],
  [
    'clients',
    'a',
    'expected an array or a function, got "a". Pass objects with clientId and name.',
  ],
  [
    'clients[0].clientId',
    [{}],
    'expected a text of 1 to 256 characters, got undefined. Correct or remove it.',
  ],
  [
    ...['clients[0].userPoolId', [{ clientId: 'a', userPoolId: 5 }]],
    'expected a text of 1 to 256 characters, got 5. Correct or remove it.',
  ],
  [
    'clients[0].tags.env',
    [{ clientId: 'a', tags: { env: 1 } }],
    'expected a text of 1 to 256 characters, got 1. Correct or remove it.',
  ],
  [
    'clients[0].tags',
    [{ clientId: 'a', tags: 1 }],
    'expected a plain object, got 1. Pass an object literal.',
  ],
  [
    ...['clients[0].resourceServers', [{ clientId: 'a', resourceServers: 'x' }]],
    'expected an array, got "x". Pass identifiers of resource servers.',
  ],
  [
    'clients().owner',
    () => ({ owner: 'x' }),
    'expected one of clientId, userPoolId, name, team, tags, resourceServers, got an unknown name. Rename or remove it.',
  ],
  ['templates', [{}], 'expected an array of models, got an array. Pass results of readTemplate().'],
  ['peaks', 1, 'expected an array of peaks, got 1. Pass the peaks of importUsage().'],
  ['peaks', [null], 'expected an array of peaks, got an array. Pass the peaks of importUsage().'],
  ['templates', 1, 'expected an array of models, got 1. Pass results of readTemplate().'],
] as const) {
  t.test(`${option}: ${problem}`, (t) => {
    const [name = ''] = option.split(/[[(.]/)
    const range = problem.includes('2026-03-30 on') ? { from: '2026-03-30' } : {}
    t.throws(() => create({ ...range, [name]: value } as object), {
      code: 'ERR_OPTION_INVALID',
      message: `cognito-m2m: ${option}: ${problem}`,
    })
    t.end()
  })
}

t.test('days with another date or count are rejected, in each function', (t) => {
  const [good] = DAYS as [UsageDay]
  for (const [days, option, problem] of [
    [{}, '', 'expected an array, got an object. Pass the days of usage.days() or importUsage().'],
    [[null], '[0].day', 'expected a day as YYYY-MM-DD, got undefined. Correct the date.'],
    [
      [{ ...good, day: '2026-2-1' }],
      '[0].day',
      'expected a day as YYYY-MM-DD, got "2026-2-1". Correct the date.',
    ],
    [
      [good, { ...good, issued: -1 }],
      '[1].issued',
      'expected a number from 0 on, got -1. Correct the count.',
    ],
    [
      [{ ...good, cached: Number.NaN }],
      '[0].cached',
      'expected a number from 0 on, got NaN. Correct the count.',
    ],
    [
      [{ ...good, issued: '5' }],
      '[0].issued',
      'expected a number from 0 on, got "5". Correct the count.',
    ],
    [
      [{ ...good, issued: Infinity }],
      '[0].issued',
      'expected a number from 0 on, got Infinity. Correct the count.',
    ],
  ] as const) {
    const invalid = days as unknown as readonly UsageDay[]
    for (const [name, call] of [
      ['days', () => createUsageHistory(invalid)],
      ['days', () => forecastUsage(invalid)],
      ['billed', () => compareUsage(invalid, DAYS)],
      ['counted', () => compareUsage(DAYS, invalid)],
    ] as const) {
      t.throws(call, {
        code: 'ERR_OPTION_INVALID',
        message: `cognito-m2m: ${name}${option}: ${problem}`,
      })
    }
  }
  t.end()
})
