/** Projected cost of a month: prices, tiers, and the parts of each client. */
import t from 'tap'
import { createUsage, type UsagePrice } from '../../../src/tokens/usage/index.ts'
import { readPrice } from '../../../src/tokens/usage/price.ts'
import { begin, DAY, HOUR, NOON, POOL, PRICE } from '../../support/usage.ts'

const TIERS: UsagePrice = {
  currency: 'EUR',
  per: 100,
  tiers: [{ upTo: 1000, price: 10 }, { upTo: 3000, price: 5 }, { price: 1 }],
}

t.test('each tier of a month has its own price', (t) => {
  const { currency, cost } = readPrice(TIERS)
  t.equal(currency, 'EUR')
  const tokens = [0, 1, 1000, 1001, 3000, 3001, 13_000]
  t.strictSame(tokens.map(cost), [0, 0.1, 100, 100.05, 200, 200.01, 300])
  t.equal(readPrice(PRICE).cost(1500), 3, 'for 1,000 tokens unless it is told otherwise')
  t.end()
})

t.test('the caller’s object is not read again', (t) => {
  const tiers = [{ price: 1 }]
  const { cost } = readPrice({ currency: 'USD', tiers })
  tiers[0] = { price: 100 }
  t.equal(cost(1000), 1)
  t.end()
})

t.test('without counts, the cost is 0', async (t) => {
  const { usage } = begin(t)
  t.strictSame(await usage.cost(), {
    currency: 'USD',
    observed: HOUR,
    cachedShare: 0,
    clients: [],
    monthly: { issued: 0, cached: 0, cost: 0, withoutCache: 0, saved: 0 },
  })
})

t.test('30 days are projected unchanged, and cached tokens are savings', async (t) => {
  const { usage, source, clock } = begin(t, { price: TIERS })
  clock.seconds = NOON - 30 * DAY
  source.token('issued', 'too-long-ago')
  clock.seconds = NOON - 12 * HOUR - 29 * DAY
  for (let index = 0; index < 300; index += 1) source.token('issued', 'a')
  for (let index = 0; index < 100; index += 1) source.token('issued', 'b')
  for (let index = 0; index < 1600; index += 1) source.token('cached', 'a')
  source.token('refused', 'a')
  source.decision(null, 'a')
  clock.seconds = NOON + 12 * HOUR - 1
  const { observed, cachedShare, monthly, clients } = await usage.cost()
  t.equal(observed, 30 * DAY - 1)
  t.equal(cachedShare, 0.8)
  const round = (it: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(it).map(([name, value]) => [
        name,
        typeof value === 'number' ? Math.round(value) : value,
      ]),
    )
  t.strictSame(round({ ...monthly }), {
    // 2,000 tokens: 1,000 at 10 and 1,000 at 5 for a hundred; 400 of them at 10.
    issued: 400,
    cached: 1600,
    cost: 40,
    withoutCache: 150,
    saved: 110,
  })
  const client = { kind: 'client', userPoolId: POOL }
  t.strictSame(
    clients.map((it) => round({ ...it })),
    [
      {
        ...client,
        clientId: 'a',
        issued: 300,
        cached: 1600,
        cost: 30,
        withoutCache: 140,
        saved: 110,
      },
      {
        ...client,
        clientId: 'b',
        issued: 100,
        cached: 0,
        cost: 10,
        withoutCache: 10,
        saved: 0,
      },
    ],
  )
})

t.test('a shorter time is projected by its length, at least one hour', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'a')
  const issued = async () => (await usage.cost()).monthly.issued
  t.equal(await issued(), 720)
  clock.seconds += 60
  t.equal(await issued(), 720)
  clock.seconds += 2 * HOUR - 60
  t.equal(await issued(), 360)
  clock.seconds += DAY - 2 * HOUR
  const { observed, monthly } = await usage.cost()
  t.strictSame([observed, monthly.issued, monthly.cost], [DAY, 30, 0.06])
})

t.test('cached tokens alone cost nothing', async (t) => {
  const { usage, source } = begin(t)
  source.token('cached', 'a')
  const { cachedShare, monthly, clients } = await usage.cost()
  t.equal(cachedShare, 1)
  t.strictSame(monthly, { issued: 0, cached: 720, cost: 0, withoutCache: 1.44, saved: 1.44 })
  t.match(clients, [{ clientId: 'a', cost: 0, withoutCache: 1.44, saved: 1.44 }])
})

t.test('clients of equal cost are ordered by name', async (t) => {
  const { usage, source } = begin(t)
  for (const client of ['c', 'a', 'b', 'b']) source.token('issued', client)
  const { clients } = await usage.cost()
  t.strictSame(
    clients.map(({ clientId }) => clientId),
    ['b', 'a', 'c'],
  )
})

const currency = 'USD'
const last = { price: 1 }
for (const [option, price, message] of [
  [
    'price',
    undefined,
    "expected a price list, got undefined. Pass { currency, tiers } from Cognito's current price list.",
  ],
  ['price', 2.25, 'expected a plain object, got 2.25. Pass an object literal.'],
  [
    'price.currency',
    { tiers: [last] },
    'expected three capital letters of ISO 4217, got undefined. Use for example "USD".',
  ],
  [
    'price.currency',
    { currency: '$', tiers: [last] },
    'expected three capital letters of ISO 4217, got "$". Use for example "USD".',
  ],
  [
    'price.per',
    { currency, per: 0, tiers: [last] },
    'expected a whole number of tokens from 1 to 1000000000, got 0. Pass a number in this range.',
  ],
  [
    'price.tier',
    { currency, tier: [last] },
    'expected one of currency, per, tiers, asOf, got an unknown name. Rename or remove it.',
  ],
  [
    'price.asOf',
    { currency, asOf: '2026-3-1', tiers: [last] },
    'expected a day as YYYY-MM-DD, got "2026-3-1". Pass the day of the price list.',
  ],
  [
    'price.asOf',
    { currency, asOf: 2026, tiers: [last] },
    'expected a day as YYYY-MM-DD, got 2026. Pass the day of the price list.',
  ],
  [
    'price.tiers',
    { currency },
    'expected an array of 1 to 20 tiers, got undefined. Pass objects with upTo and price.',
  ],
  [
    'price.tiers',
    { currency, tiers: [] },
    'expected an array of 1 to 20 tiers, got 0 tiers. Pass objects with upTo and price.',
  ],
  [
    'price.tiers',
    { currency, tiers: Array(21).fill(last) },
    'expected an array of 1 to 20 tiers, got 21 tiers. Pass objects with upTo and price.',
  ],
  [
    'price.tiers[0]',
    { currency, tiers: [1] },
    'expected a plain object, got 1. Pass an object literal.',
  ],
  [
    'price.tiers[0].price',
    { currency, tiers: [{}] },
    'expected a number, got undefined. Set the price of price.per tokens.',
  ],
  [
    'price.tiers[0].price',
    { currency, tiers: [{ price: -1 }] },
    'expected a number from 0 to 1000000000000000, got -1. Pass a number in this range.',
  ],
  [
    'price.tiers[0].upTo',
    { currency, tiers: [{ upTo: 5, price: 1 }] },
    'expected no upTo in the last tier, got one. Remove it, or add a last tier without it.',
  ],
  [
    'price.tiers[0].upTo',
    { currency, tiers: [last, last] },
    'expected a number of tokens, got undefined. Set it in each tier except the last.',
  ],
  [
    ...[
      'price.tiers[1].upTo',
      { currency, tiers: [{ upTo: 5, price: 1 }, { upTo: 5, price: 1 }, last] },
    ],
    'expected a whole number of tokens from 6 to 1000000000000000, got 5. Pass a number in this range.',
  ],
] as const) {
  t.test(`${option}: ${message}`, (t) => {
    const options = price === undefined ? {} : { price }
    t.throws(() => createUsage(options as { price: UsagePrice }), {
      code: 'ERR_OPTION_INVALID',
      option,
      message: `cognito-m2m: ${option}: ${message}`,
    })
    t.end()
  })
}
