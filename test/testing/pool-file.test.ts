import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { readPoolFile, startUserPool } from '../../src/testing/index.ts'

const EXAMPLE = {
  userPoolId: 'xx-local-1_Example01',
  port: 0,
  quota: 300,
  resourceServers: [{ identifier: 'orders', scopes: { read: 'Read', write: 'Write' } }],
  clients: [
    { clientId: 'billing', clientSecrets: ['hunter2'], scopes: ['orders/read'] },
    { clientId: 'web', flows: ['code'], oauth: true, accessTokenValidity: 600 },
  ],
}

const folder = t.testdir({ empty: '' })

/** @returns The path of a file of this name and content. */
function write(content: unknown, name = 'pool.json'): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

t.test('a file is what startUserPool takes', async (t) => {
  const options = readPoolFile(write(EXAMPLE))
  t.strictSame(options, EXAMPLE)
  const pool = await startUserPool(options)
  t.teardown(() => pool.close())
  t.equal(pool.userPoolId, EXAMPLE.userPoolId)
  t.match(pool.clients, [
    { clientSecrets: ['hunter2'] },
    { scopes: ['orders/read', 'orders/write'] },
  ])
  t.strictSame(readPoolFile(write('{}', 'empty.json')), {})
})

t.test('the example in fixtures is good', async (t) => {
  const options = readPoolFile(fileURLToPath(new URL('../../fixtures/pool.json', import.meta.url)))
  const pool = await startUserPool({ ...options, port: 0 })
  t.teardown(() => pool.close())
  t.equal(pool.clients.length, 2)
})

t.test('$schema is for editors', async (t) => {
  const file = { $schema: './node_modules/cognito-m2m/schemas/pool.json', ...EXAMPLE }
  t.strictSame(readPoolFile(write(file)), EXAMPLE)
})

const [server] = EXAMPLE.resourceServers
const client = (members: object) => ({ ...EXAMPLE, clients: [EXAMPLE.clients[0], members] })

/** Content, the place that is named, and the fix. */
const refused: readonly [string, unknown, string, RegExp][] = [
  ['no object', '[]', 'pool.json: options', /an empty array/],
  ['an unknown member', { ...EXAMPLE, client: [] }, 'pool.json: client', /got an unknown name/],
  ['a clock', { ...EXAMPLE, now: 1 }, 'pool.json: now', /got an unknown name/],
  [
    'a quota of nothing',
    { ...EXAMPLE, quota: 0 },
    'pool.json: quota',
    /from 1 to 1000000, got 0\. /,
  ],
  [
    'a schema that is none',
    { $schema: {} },
    'pool.json: $schema',
    /expected the URL of the schema, got an object/,
  ],
  [
    'flows as one text',
    client({ clientId: 'a', flows: 'code' }),
    'pool.json: clients[1].flows',
    /expected an array of flows, got "code"/,
  ],
  [
    'a machine without a secret',
    client({ clientId: 'a', clientSecrets: [] }),
    'pool.json: clients[1].clientSecrets',
    /expected a secret for the flow client_credentials, got an empty array/,
  ],
  ['control', { ...EXAMPLE, control: true }, 'pool.json: control', /got an unknown name/],
  ['a port in words', { port: '8080' }, 'pool.json: port', /expected a whole number.* got "8080"/],
  ["a real pool's id", { userPoolId: 'eu-west-1_Abc' }, 'pool.json: userPoolId', /xx-local-1_/],
  ['a client id of the wrong type', client({ clientId: 7 }), 'pool.json: clients[1].clientId', /7/],
  [
    'a misspelt scope',
    client({ clientId: 'a', scopes: ['orders/raed'] }),
    'pool.json: clients[1].scopes[0]',
    /got "orders\/raed"\. Define it or correct the spelling\.$/,
  ],
  [
    'a description that is none',
    { ...EXAMPLE, resourceServers: [server, { identifier: 'stock', scopes: { read: 5 } }] },
    'pool.json: resourceServers[1].scopes.read',
    /got 5\./,
  ],
]

for (const [name, content, option, message] of refused) {
  t.test(`${name} is refused at ${option}`, async (t) => {
    const path = write(content)
    t.throws(() => readPoolFile(path), { code: 'ERR_OPTION_INVALID', option, message })
    t.throws(() => readPoolFile(path), { message: /^cognito-m2m: pool\.json: [^\n]+$/ })
  })
}

t.test('a file that cannot be read is named with the reason', async (t) => {
  t.throws(() => readPoolFile(join(folder, 'absent.json')), {
    code: 'ERR_OPTION_INVALID',
    message: /^cognito-m2m: absent\.json: expected a readable JSON file, got ENOENT\. /,
  })
  mkdirSync(join(folder, 'folder.json'))
  t.throws(() => readPoolFile(join(folder, 'folder.json')), { message: /folder\.json: .*EISDIR/ })
})

for (const text of [
  '',
  '{',
  'hunter2',
  '{"clients": [{"clientSecrets": [hunter2]}]}',
  '{\n  "clients": [\n    {"clientSecrets": ["hunter2" "x"]}]}',
  '{"a": "hunter2\n"}',
]) {
  t.test(`${JSON.stringify(text)} is no JSON: said in one line that quotes nothing`, async (t) => {
    try {
      readPoolFile(write(text))
      t.fail('accepted')
    } catch (error) {
      const { message, code, stack } = error as Error & { code: string }
      t.equal(code, 'ERR_OPTION_INVALID')
      t.match(
        message,
        /^cognito-m2m: pool\.json\S*: expected JSON, got a syntax error\. Correct the file\.$/,
      )
      t.notMatch(`${message}${stack}`, 'hunter2')
    }
  })
}

t.test('where the parser tells, line and column are named', async (t) => {
  const text = '{\n  "clients": [\n    {"clientSecrets": ["hunter2" "x"]}]}'
  t.throws(() => readPoolFile(write(text)), { message: /pool\.json:3:\d+: expected JSON/ })
})

const validate = new Ajv().compile(
  JSON.parse(readFileSync(new URL('../../schemas/pool.json', import.meta.url), 'utf8')) as object,
)
/** Messages of rules that a schema cannot express: they compare two positions, or add lengths. */
const BEYOND = new RegExp(
  [
    'expected a different id for each client, got "[^"]*" twice\\. Merge the two\\.$',
    'expected an identifier that no other resource server has, got "[^"]*" again\\. Merge the two resource servers\\.$',
    'expected a scope of a resource server, got "[^"]*"\\. Define it or correct the spelling\\.$',
    'expected at most 50 scopes, got all \\d+ of the resource servers\\. Set the scopes of the client\\.$',
    'at most 256 together with the identifier, got "[^"]*"\\. Rename the scope\\.$',
  ].join('|'),
)

/** What is wrong; undefined where the reader takes it. */
function refusal(content: unknown): string | undefined {
  try {
    readPoolFile(write(content, 'judged.json'))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Schema and reader say the same, but for what no schema can say. */
function agree(content: unknown): boolean {
  const problem = refusal(content)
  return validate(content) ? problem === undefined || BEYOND.test(problem) : problem !== undefined
}

t.test('the schema refuses what the reader refuses', async (t) => {
  for (const [name, content] of refused) {
    const document: unknown = content === '[]' ? [] : content
    t.ok(agree(document), name)
    t.equal(validate(document), name === 'a misspelt scope', name)
  }
  for (const good of [EXAMPLE, {}, { $schema: 'x', ...EXAMPLE }]) {
    t.strictSame([validate(good), refusal(good)], [true, undefined])
  }
})

t.test('schema and reader agree on any document', async (t) => {
  const either = <T>(...values: readonly T[]) => fc.constantFrom(...values)
  const junk = either<unknown>(null, true, 0, -1, 1.5, '', ' ', 'a', 'é', [], {}, [null], { a: 1 })
  const mostly = (...values: readonly unknown[]) =>
    fc.oneof({ weight: 6, arbitrary: either(...values) }, { weight: 1, arbitrary: junk })
  const many = (item: fc.Arbitrary<unknown>, most: number) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.array(item, { maxLength: 3 }) },
      { weight: 1, arbitrary: fc.array(item, { minLength: most, maxLength: most + 1 }) },
      { weight: 1, arbitrary: junk },
    )
  const scope = mostly(
    'orders/read',
    'a/b/c',
    'openid',
    'orders/',
    '/read',
    'orders',
    'a b/c',
    `a/${'b'.repeat(254)}`,
    `a/${'b'.repeat(255)}`,
    'a/"',
  )
  const name = either('read', 'write', '__proto__', 'a/b', '', 'a b', 'a'.repeat(257))
  const servers = fc.record(
    {
      identifier: mostly(
        'orders',
        'https://a.example/b',
        'a b',
        'a\\b',
        'a'.repeat(256),
        'a'.repeat(257),
      ),
      scopes: fc.oneof(
        fc.dictionary(name, mostly('Read', 'a'.repeat(256), 'a'.repeat(257)), { maxKeys: 3 }),
        junk,
      ),
      name: junk,
    },
    { requiredKeys: [] },
  )
  const clients = fc.record(
    {
      clientId: mostly('billing', 'A_b+c.d-e', 'a:b', 'a'.repeat(128), 'a'.repeat(129)),
      clientSecrets: fc.oneof(
        fc.array(mostly('hunter2', 's\u0085', 'a\n', '😀', 'a'.repeat(129)), { maxLength: 3 }),
        junk,
      ),
      scopes: many(scope, 50),
      flows: many(mostly('client_credentials', 'code', 'implicit'), 3),
      oauth: mostly(true, false),
      accessTokenValidity: mostly(300, 86_400, 299, 86_401, 3600.5),
      scope: junk,
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  const pools = fc.record(
    {
      $schema: mostly('./pool.json'),
      userPoolId: mostly(
        'xx-local-1_Abc',
        'eu-west-1_Abc',
        'xx-local-1_',
        'xx-local-1_a b',
        'xx-local-2_Abc',
      ),
      port: mostly(0, 65_535, 65_536, 80.5, '80'),
      cors: mostly(true, false),
      quota: mostly(1, 2.5, 1_000_000, 1_000_001, false, true),
      resourceServers: many(servers, 25),
      clients: many(clients, 1),
      client: junk,
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  t.doesNotThrow(() => fc.assert(fc.property(pools, agree), { numRuns: 1500 }))
})
