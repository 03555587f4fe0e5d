/** AWS records next to the counts of proxies: clients that bypass them, savings, and the bill. */
import t from 'tap'
import {
  compareUsage,
  toComparisonCsv,
  type UsagePrice,
} from '../../../../src/tokens/usage/index.ts'
import { createDay as day, POOL } from '../../../support/usage.ts'

const PRICE: UsagePrice = { currency: 'USD', per: 1, tiers: [{ price: 2 }], asOf: '2026-03-01' }
const now = () => Date.parse('2026-04-10T12:00:00Z')

t.test('clients bypass the proxies, use them, or do both', (t) => {
  const billed = [
    day('2026-03-01', 'early', 5),
    day('2026-03-02', 'direct', 100),
    day('2026-03-02', 'mixed', 100),
    day('2026-03-03', 'proxy', 100),
    day('2026-03-03', 'token-api', 10, { userPoolId: null }),
  ]
  const counted = [
    day('2026-03-02', 'mixed', 50, { cached: 7 }),
    day('2026-03-02', 'idle', 0),
    day('2026-03-03', 'proxy', 99, { cached: 300 }),
    day('2026-03-03', 'token-api', 10),
    day('2026-03-04', 'late', 5),
  ]
  const clients = [{ clientId: 'direct', name: 'Old job', team: 'ops' }]
  const result = compareUsage(billed, counted, { price: PRICE, now, clients })
  t.match(result, { from: '2026-03-02', to: '2026-03-03', currency: 'USD', notes: [] })
  const subject = { kind: 'client', userPoolId: POOL, name: null, team: null }
  t.strictSame(result.clients, [
    {
      ...subject,
      clientId: 'direct',
      name: 'Old job',
      team: 'ops',
      path: 'direct',
      billed: 100,
      counted: 0,
      cached: 0,
      direct: 100,
      cost: 200,
      saved: 0,
    },
    {
      ...subject,
      clientId: 'mixed',
      path: 'mixed',
      billed: 100,
      counted: 50,
      cached: 7,
      direct: 50,
      cost: 200,
      saved: 14,
    },
    {
      ...subject,
      clientId: 'proxy',
      path: 'proxy',
      billed: 100,
      counted: 99,
      cached: 300,
      direct: 1,
      cost: 200,
      saved: 600,
    },
    {
      ...subject,
      clientId: 'token-api',
      path: 'proxy',
      billed: 10,
      counted: 10,
      cached: 0,
      direct: 0,
      cost: 20,
      saved: 0,
    },
  ])
  t.strictSame(result.total, {
    billed: 310,
    counted: 159,
    cached: 307,
    direct: 151,
    cost: 620,
    saved: 614,
  })
  t.strictSame(
    result.days.map(({ day, clientId, issued, cached }) => [day, clientId, issued, cached]),
    [
      ['2026-03-01', 'early', 5, 0],
      ['2026-03-02', 'direct', 100, 0],
      ['2026-03-02', 'mixed', 100, 0],
      ['2026-03-02', 'mixed', 0, 7],
      ['2026-03-03', 'proxy', 100, 0],
      ['2026-03-03', 'token-api', 10, 0],
      ['2026-03-03', 'proxy', 0, 300],
    ],
  )
  t.end()
})

t.test('a range of several months adds up, with a price or without', (t) => {
  const billed = [day('2026-03-31', 'a', 1), day('2026-04-01', 'a', 2)]
  const counted = [day('2026-03-31', 'a', 1, { cached: 1 }), day('2026-04-01', 'a', 2)]
  t.match(compareUsage(billed, counted, { price: PRICE, now }).clients, [
    { billed: 3, counted: 3, cost: 6, saved: 2 },
  ])
  t.match(compareUsage(billed, counted), {
    currency: null,
    clients: [{ billed: 3, cost: null, saved: null }],
    total: { billed: 3, cost: null, saved: null },
  })
  const april = compareUsage(billed, counted, { from: '2026-04', to: '2026-04-01' })
  t.match(april, { from: '2026-04-01', to: '2026-04-01', total: { billed: 2, counted: 2 } })
  t.end()
})

t.test('records without a client may be those of a proxy with HTTP Basic', (t) => {
  const billed = [
    day('2026-03-01', null, 100),
    day('2026-03-01', 'b', 10),
    day('2026-03-01', 'c', 5),
  ]
  const counted = [day('2026-03-01', 'a', 60), day('2026-03-01', 'b', 20)]
  const { clients, notes } = compareUsage(billed, counted)
  t.strictSame(
    clients.map(({ kind, clientId, direct, path }) => [kind, clientId, direct, path]),
    [
      ['unattributed', null, 30, 'mixed'],
      ['client', 'c', 5, 'direct'],
      ['client', 'b', 0, 'proxy'],
      ['client', 'a', 0, 'proxy'],
    ],
  )
  t.match(notes, [/^Records of unattributed requests/])
  t.end()
})

t.test('fewer billed than counted tokens: records are missing', (t) => {
  const { notes } = compareUsage([day('2026-03-01', 'a', 90)], [day('2026-03-01', 'a', 100)])
  t.strictSame(notes, [
    'AWS records have 10 tokens less than the proxies counted: records are missing.',
  ])
  t.end()
})

t.test('a client of several pools stays without one', (t) => {
  const billed = [day('2026-03-01', 'a', 1, { userPoolId: null })]
  const counted = [day('2026-03-01', 'a', 1), day('2026-03-01', 'a', 1, { userPoolId: 'x_y' })]
  t.match(compareUsage(billed, counted).clients, [{ userPoolId: null, direct: 1 }, {}, {}])
  t.end()
})

t.test('without days of both sides there is nothing to compare', (t) => {
  const some = [day('2026-03-01', 'a', 1)]
  const later = [day('2026-03-02', 'a', 1)]
  for (const [billed, counted] of [
    [[], []],
    [some, []],
    [[], some],
    [some, later],
    [later, some],
  ] as const) {
    t.match(compareUsage(billed, counted, { price: PRICE }), {
      from: null,
      to: null,
      currency: 'USD',
      clients: [],
      total: { billed: 0, direct: 0 },
      notes: ['No day has data of both sides.'],
    })
  }
  t.match(compareUsage(some, later, { from: '2026-03-01', to: '2026-03-02' }).total, {
    billed: 1,
    counted: 1,
    direct: 0,
  })
  t.throws(() => compareUsage(some, some, { by: 'day' } as object), { code: 'ERR_OPTION_INVALID' })
  t.throws(() => compareUsage(some, [], { price: {} } as object), { code: 'ERR_OPTION_INVALID' })
  t.end()
})

t.test('as CSV, callers without a client id are named by their kind', (t) => {
  const billed = [day('2026-03-02', '=job', 100), day('2026-03-02', null, 40)]
  const counted = [day('2026-03-02', '=job', 50, { cached: 7 })]
  const header =
    'user_pool_id,client_id,name,team,path,tokens_billed,tokens_counted,tokens_direct,tokens_cached,cost,saved'
  const toLines = (price: { readonly price?: UsagePrice }) =>
    toComparisonCsv(compareUsage(billed, counted, { ...price, now }))
      .trim()
      .split('\r\n')
  t.strictSame(toLines({ price: PRICE }), [
    header,
    `"${POOL}","'=job",,,"mixed",100,50,50,7,200,14`,
    `"${POOL}","unattributed",,,"direct",40,0,40,0,80,0`,
  ])
  t.strictSame(toLines({}), [
    header,
    `"${POOL}","'=job",,,"mixed",100,50,50,7,,`,
    `"${POOL}","unattributed",,,"direct",40,0,40,0,,`,
  ])
  t.end()
})
