import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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

const [server] = EXAMPLE.resourceServers
const client = (members: object) => ({ ...EXAMPLE, clients: [EXAMPLE.clients[0], members] })

/** Content, the place that is named, and the fix. */
const refused: readonly [string, unknown, string, RegExp][] = [
  ['no object', '[]', 'pool.json: options', /an empty array/],
  ['an unknown member', { ...EXAMPLE, client: [] }, 'pool.json: client', /unknown: use one of/],
  ['a clock', { ...EXAMPLE, now: 1 }, 'pool.json: now', /unknown: use one of/],
  ['a quota of nothing', { ...EXAMPLE, quota: 0 }, 'pool.json: quota', /from 1 to 1000000$/],
  ['control', { ...EXAMPLE, control: true }, 'pool.json: control', /unknown: use one of/],
  ['a port in words', { port: '8080' }, 'pool.json: port', /"8080": use a whole number/],
  ["a real pool's id", { userPoolId: 'eu-west-1_Abc' }, 'pool.json: userPoolId', /xx-local-1_/],
  ['a client id of the wrong type', client({ clientId: 7 }), 'pool.json: clients[1].clientId', /7/],
  [
    'a misspelt scope',
    client({ clientId: 'a', scopes: ['orders/raed'] }),
    'pool.json: clients[1].scopes[0]',
    /"orders\/raed": no resource server defines it; define it or correct the spelling$/,
  ],
  [
    'a description that is none',
    { ...EXAMPLE, resourceServers: [server, { identifier: 'stock', scopes: { read: 5 } }] },
    'pool.json: resourceServers[1].scopes.read',
    /5: describe/,
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
    message: /^cognito-m2m: absent\.json cannot be read \(ENOENT\)/,
  })
  mkdirSync(join(folder, 'folder.json'))
  t.throws(() => readPoolFile(join(folder, 'folder.json')), { message: /folder\.json .*EISDIR/ })
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
      t.match(message, /^cognito-m2m: pool\.json\S* is not valid JSON[^\n]*$/)
      t.notMatch(`${message}${stack}`, 'hunter2')
    }
  })
}

t.test('where the parser tells, line and column are named', async (t) => {
  const text = '{\n  "clients": [\n    {"clientSecrets": ["hunter2" "x"]}]}'
  t.throws(() => readPoolFile(write(text)), { message: /pool\.json:3:\d+ is not valid JSON/ })
})
