import t from 'tap'
import { readOptions } from '../../../src/core/options/options.ts'
import { OptionError } from '../../../src/index.ts'
import { CLIENT, jwk, label, POOL } from '../../support/forge.ts'

/** A valid token and nothing more. */
const ANY = {
  allOf: [],
  anyOf: [],
  clientIds: undefined,
  userPoolIds: undefined,
  optional: false,
  check: undefined,
  optionPath: 'default',
  isDefault: true,
}
const POOL_OPTIONS = { userPoolId: POOL, clientId: CLIENT }

function read(options: object) {
  return readOptions({ ...POOL_OPTIONS, ...options })
}

function refused(options: unknown): OptionError {
  try {
    readOptions(options)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test('fills in defaults', async (t) => {
  const { pools, logger, now, monotonicNow, ...others } = read({})
  t.equal(pools.length, 1)
  t.strictSame(others, {
    clockTolerance: 5,
    maxTokenLength: 8192,
    defaultRequirement: ANY,
    check: undefined,
    clientCache: { allow: 60_000, deny: 10_000 },
    tokenCache: { maxEntries: 10_000, maxBytes: 16_777_216 },
    timing: {
      startup: 'warn',
      refreshIntervalMs: 300_000,
      cooldownMs: 5000,
      maxStaleMs: 86_400_000,
      fetchTimeoutMs: 3000,
    },
    metadata: undefined,
    rejectionsPerMinute: undefined,
    realm: 'api',
    challengeScopes: false,
    fetch: globalThis.fetch,
    adapterOptions: {},
  })
  t.equal(now, Date.now)
  t.type(monotonicNow(), 'number')
  t.doesNotThrow(() => logger.warn({}, 'to nobody'))
})

t.test('returns configured values, with durations in milliseconds', async (t) => {
  const given = { now: () => 1, monotonicNow: () => 2, fetch: async () => new Response() }
  const check = () => true
  const keyStore = {
    startup: 'require',
    refreshInterval: 60,
    cooldown: 1,
    maxStale: 600,
    fetchTimeout: 0.5,
  }
  const clientCache = { allow: 0, deny: 0.5 }
  const options = read({
    ...given,
    check,
    keyStore,
    clientCache,
    realm: 'orders',
    clockTolerance: 0,
  })
  t.match(options, { ...given, check, realm: 'orders', clockTolerance: 0 })
  t.strictSame(options.clientCache, { allow: 0, deny: 500 })
  t.strictSame(options.timing, {
    startup: 'require',
    refreshIntervalMs: 60_000,
    cooldownMs: 1000,
    maxStaleMs: 600_000,
    fetchTimeoutMs: 500,
  })
})

t.test('compiles default, and accepts only the literal false for public routes', async (t) => {
  const scopes = ['a/x']
  const { defaultRequirement: fallback } = read({ default: { scopes } })
  scopes.length = 0
  t.strictSame(fallback, { ...ANY, allOf: ['a/x'] })
  t.strictSame(read({ default: {} }).defaultRequirement, ANY)
  t.equal(read({ default: false }).defaultRequirement, false)
})

/** Per option: what is accepted, what is refused, and the fix the message names. */
const table: [string, readonly unknown[], readonly unknown[], RegExp][] = [
  [
    'clockTolerance',
    [0, 0.5, 300],
    [null, -1, 301, '5', Number.NaN, Infinity, true],
    /seconds from 0 to 300, got .+\. Pass a number in this range\.$/,
  ],
  [
    'maxTokenLength',
    [256, 1_048_576],
    [null, 255, 1_048_577, 8192.5, '8192'],
    /characters from 256 to 1048576, got .+\. Pass a number in this range\.$/,
  ],
  ['default', [false, {}, { scopes: 'a/x' }], [true, null, 'a/x', []], /\. (Pass|Write) /],
  [
    'check',
    [() => true],
    [null, true, 'check', {}],
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
  [
    'tokenCache',
    [false, {}, { maxEntries: 1, maxBytes: 16_384 }],
    [true, null, 5, []],
    /\. Pass an object literal/,
  ],
  [
    'clientCache',
    [{}, { allow: 3600 }, { deny: 0 }],
    [false, null, 60, []],
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  [
    'keyStore',
    [{}, { startup: 'warn' }],
    [false, null, 'warn', []],
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  [
    'realm',
    ['api', 'orders, v2'],
    ['', 'a"b', 'a\\b', 'é', 'a\r\nb', null, 5],
    /: expected printable ASCII .*, got .+\. Set a realm such as "api"\.$/,
  ],
  [
    'logger',
    [console, { info() {}, warn() {}, error() {} }],
    [null, true, {}, { info() {}, warn() {} }, 'console'],
    /: expected an object with the methods info, warn and error, got .+\. Pass a logger\.$/,
  ],
  [
    'rejectionLog',
    [false, {}, { perMinute: 1 }],
    [true, null, 60, []],
    /: expected a plain object, got .+\. Pass an object literal\.$/,
  ],
  [
    'now',
    [Date.now],
    [null, 5, 'now'],
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
  [
    'monotonicNow',
    [() => 1],
    [null, 5],
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
  [
    'fetch',
    [fetch],
    [null, 'fetch', {}],
    /: expected a function, got .+\. Pass a function or leave it out\.$/,
  ],
]
for (const [option, valid, invalid, problem] of table) {
  t.test(`${option}: accepts valid values and rejects others by name`, async (t) => {
    for (const value of valid) t.ok(read({ [option]: value }), label(value))
    for (const value of [...invalid, undefined]) {
      const error = refused({ ...POOL_OPTIONS, [option]: value })
      t.equal(error.option, option)
      t.ok(
        error.message.startsWith(`cognito-m2m: ${option}: expected `),
        error.message.slice(0, 80),
      )
      t.match(
        error.message,
        value === undefined
          ? /expected a value, got undefined\. Set it or leave it out\.$/
          : problem,
      )
      t.notMatch(error.message, /[\r\n]/)
    }
  })
}

const members: [string, string, readonly unknown[], RegExp][] = [
  [
    'default',
    'scope',
    ['a/x'],
    /: expected one of scopes, .+, got an unknown name\. Rename or remove it\.$/,
  ],
  ['default', 'scopes', [[], 'x', null], /at least one scope|identifier\/name|as a string/],
  [
    'tokenCache',
    'maxEntries',
    [null, 0, 1_000_001, 1.5, '1'],
    /whole number of tokens from 1 to 1000000, got .+\. Pass a number in this range\.$/,
  ],
  [
    'tokenCache',
    'maxBytes',
    [16_383, 1_073_741_825, 20_000.5],
    /bytes from 16384 to 1073741824, got .+\. Pass a number in this range\.$/,
  ],
  ['tokenCache', 'size', [1], /: expected one of maxEntries, maxBytes, got an unknown name\./],
  [
    'rejectionLog',
    'perMinute',
    [null, 0, 6001, 1.5, '60'],
    /whole number of lines from 1 to 6000, got .+\. Pass a number in this range\.$/,
  ],
  [
    'clientCache',
    'allow',
    [null, -1, 3601, '60', Number.NaN],
    /seconds from 0 to 3600, got .+\. Pass a number in this range\.$/,
  ],
  [
    'clientCache',
    'deny',
    [-1, 3601, '10'],
    /seconds from 0 to 3600, got .+\. Pass a number in this range\.$/,
  ],
  ['clientCache', 'ttl', [1], /: expected one of allow, deny, got an unknown name\./],
  [
    'keyStore',
    'startup',
    ['ignore', true, null, ''],
    /: expected 'warn' or 'require', got .+\. Use one of the two\.$/,
  ],
  [
    'keyStore',
    'refreshInterval',
    [0, 86_401, '300'],
    /seconds from 0.001 to 86400, got .+\. Pass a number in this range\.$/,
  ],
  [
    'keyStore',
    'cooldown',
    [null, 0, 301, -5],
    /seconds from 0.001 to 300, got .+\. Pass a number in this range\.$/,
  ],
  [
    'keyStore',
    'maxStale',
    [0, 604_801, Infinity],
    /seconds from 0.001 to 604800, got .+\. Pass a number in this range\.$/,
  ],
  [
    'keyStore',
    'fetchTimeout',
    [0, 31, Number.NaN],
    /seconds from 0.001 to 30, got .+\. Pass a number in this range\.$/,
  ],
  ['keyStore', 'ttl', [1], /: expected one of startup, refreshInterval/],
]
for (const [option, member, invalid, problem] of members) {
  t.test(`${option}.${member}: rejects invalid values by name`, async (t) => {
    for (const value of [...invalid, undefined]) {
      const error = refused({ ...POOL_OPTIONS, [option]: { [member]: value } })
      t.equal(error.option, `${option}.${member}`)
      if (value !== undefined) t.match(error.message, problem)
      t.notMatch(error.message, /[\r\n]/)
    }
  })
}

t.test('rejects unknown options and values that are not plain objects', async (t) => {
  for (const name of ['clientID', 'clientIds', 'scopes', 'tokenUse', 'audiences', 'issuers']) {
    const error = refused({ ...POOL_OPTIONS, [name]: 'x' })
    t.equal(error.option, name)
    t.match(
      error.message,
      /: expected one of userPoolId, clientId, .+, got an unknown name\. Rename or remove it\.$/,
    )
  }
  for (const options of [undefined, null, POOL, [POOL_OPTIONS], 5, () => POOL_OPTIONS]) {
    t.match(refused(options), {
      option: 'options',
      message: /: expected a plain object, got .+\. Pass an object literal\.$/,
    })
  }
})

const other = { userPoolId: 'us-east-1_Other', clientId: null }

t.test('rejects inherited options', async (t) => {
  const inherited = Object.assign(Object.create({ check: () => false }), POOL_OPTIONS)
  t.match(refused(inherited), {
    option: 'options',
    message: /: expected a plain object, got .+\. Pass an object literal\.$/,
  })
  const cache = Object.create({ deny: 0 })
  t.match(refused({ ...POOL_OPTIONS, clientCache: cache }), { option: 'clientCache' })
})

t.test('several user pools require userPools', async (t) => {
  t.equal(readOptions({ userPools: [POOL_OPTIONS, other] }).pools.length, 2)
  for (const member of Object.keys(POOL_OPTIONS)) {
    const error = refused({ userPools: [other], [member]: POOL })
    t.equal(error.option, 'userPools')
    t.match(
      error.message,
      `: expected no ${member} with userPools, got both. Move ${member} into each user pool.`,
    )
  }
  for (const userPools of [[], null, {}, 'x', 5]) {
    t.match(refused({ userPools }), {
      option: 'userPools',
      message: /: expected an array of user pools, got .+\. Pass at least one\.$/,
    })
  }
  t.match(refused({ userPools: undefined }), {
    option: 'userPools',
    message: /expected a value, got undefined\. Set it or leave it out\.$/,
  })
  t.equal(refused({ userPools: new Array(1) }).option, 'userPools[0]', 'a hole')
  t.equal(refused({ userPools: [POOL_OPTIONS, null] }).option, 'userPools[1]')
  t.equal(refused({ userPools: [{ ...other, clientId: '' }] }).option, 'userPools[0].clientId')
  t.equal(refused({ userPools: [{ ...other, realm: 'x' }] }).option, 'userPools[0].realm')
})

t.test('rejects two user pools with one issuer', async (t) => {
  const issuer = 'https://id.example'
  const pairs = [
    [POOL_OPTIONS, { ...POOL_OPTIONS, clientId: null }],
    [{ ...POOL_OPTIONS, issuer }, other, { ...other, issuer }],
    [
      other,
      {
        ...POOL_OPTIONS,
        issuer: [issuer, 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other'],
      },
    ],
  ]
  for (const userPools of pairs) {
    const error = refused({ userPools })
    t.equal(error.option, `userPools[${userPools.length - 1}]`)
    t.match(
      error.message,
      /: expected an issuer that no other user pool has, got an issuer of userPools\[0\]\. List each/,
    )
  }
  t.ok(readOptions({ userPools: [{ ...other, issuer: [issuer, issuer] }] }), 'one pool, said twice')
})

t.test("the caller's object is not changed, and changing it later has no effect", async (t) => {
  const clientId = [CLIENT]
  const keys = [jwk()]
  const clientCache = { allow: 1 }
  const options = { userPoolId: POOL, clientId, jwks: { keys }, clientCache, clockTolerance: 7 }
  const before = JSON.stringify(options)
  const frozen = Object.freeze({ ...options, clientId: Object.freeze([...clientId]) })
  t.ok(readOptions(frozen))
  const { pools, ...others } = readOptions(options)
  t.equal(JSON.stringify(options), before)
  clientId.push('later')
  keys.length = 0
  Object.assign(clientCache, { allow: 99 })
  Object.assign(options, { clockTolerance: 99, check: () => true })
  t.strictSame([...(pools[0]?.clientIds ?? [])], [CLIENT])
  t.equal(pools[0]?.staticKeys?.keySet.usable.size, 1)
  t.match(others, { clientCache: { allow: 1000 }, clockTolerance: 7, check: undefined })
})
