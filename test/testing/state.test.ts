/** The state file of a local pool: what it keeps, who may read it, and what is refused. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { createResourceServer } from '../../src/index.ts'
import {
  type LocalUserPool,
  type LocalUserPoolOptions,
  startUserPool,
} from '../../src/testing/index.ts'
import { ask } from '../support/http.ts'

interface Content {
  version: unknown
  issuer: unknown
  keys: { id: Record<string, unknown>; access: Record<string, unknown>; old: unknown }
  clientSecrets: Record<string, unknown>
}

const modeOf = (path: string) => statSync(path).mode & 0o777
const contentOf = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Content

async function start(t: Test, options: LocalUserPoolOptions) {
  const pool = await startUserPool(options)
  t.teardown(() => pool.close())
  return pool
}

/** Whether an API over this pool accepts a token. */
async function accepts(pool: LocalUserPool, token: string): Promise<boolean> {
  const server = createResourceServer(pool.options())
  try {
    await server.guard()(`Bearer ${token}`)
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** A pool that was closed again, and where its state is. */
async function kept(t: Test, options: LocalUserPoolOptions = {}) {
  const folder = t.testdir({})
  const state = join(folder, 'pool.state.json')
  const pool = await startUserPool({ ...options, state })
  await pool.close()
  return { folder, state, pool }
}

t.test('tokens from before a restart are valid after it', async (t) => {
  const { folder, state, pool } = await kept(t, { clients: [{ clientId: 'billing' }] })
  t.equal(modeOf(state), 0o600)
  t.strictSame(readdirSync(folder), ['pool.state.json'], 'nothing is left beside it')
  const before = { token: pool.accessToken(), text: readFileSync(state, 'utf8') }
  const again = await start(t, { state, clients: [{ clientId: 'billing' }] })
  t.equal(again.issuer, pool.issuer, 'pool ID, host and port are those of the file')
  t.strictSame(again.jwks(), pool.jwks())
  t.strictSame(again.clients, pool.clients, 'generated secrets too')
  t.ok(await accepts(again, before.token))
  t.equal(readFileSync(state, 'utf8'), before.text)
  const fresh = await start(t, { userPoolId: pool.userPoolId })
  t.notOk(await accepts(fresh, before.token), 'without it they are not')
})

t.test('another process resumes with the same keys', async (t) => {
  const { state, pool } = await kept(t)
  const module = new URL('../../src/testing/index.ts', import.meta.url).href
  const code = `import { startUserPool } from '${module}'
    const pool = await startUserPool({ state: ${JSON.stringify(state)} })
    process.stdout.write(JSON.stringify([pool.issuer, pool.jwks(), pool.accessToken()]))
    await pool.close()`
  const args = [...process.execArgv, '--input-type=module', '--eval', code]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.equal(stderr, '')
  const [issuer, jwks, token] = JSON.parse(stdout) as [string, unknown, string]
  t.strictSame([issuer, jwks], [pool.issuer, pool.jwks()])
  t.ok(await accepts(await start(t, { state }), token))
})

t.test('host ::1 is kept as well', async (t) => {
  const { state, pool } = await kept(t, { host: '::1' })
  t.match(pool.issuer, /^http:\/\/\[::1\]:/)
  t.equal((await start(t, { state })).issuer, pool.issuer)
})

t.test('a rotation is written before it takes effect', async (t) => {
  const { state } = await kept(t)
  const pool = await startUserPool({ state, control: true })
  const old = pool.accessToken()
  pool.rotateKeys({ keepOld: true })
  const path = '/_local/rotation'
  const headers = { 'content-type': 'application/json' }
  const request = { method: 'POST', path, headers, body: '{"keepOld":true}' }
  t.equal((await ask(pool.port, request)).status, 204)
  t.equal(modeOf(state), 0o600)
  await pool.close()
  const again = await start(t, { state })
  t.equal(again.jwks().keys.length, 6)
  t.strictSame(again.jwks(), pool.jwks())
  t.ok(await accepts(again, old))
  t.ok(await accepts(again, pool.accessToken()))
  again.rotateKeys()
  t.notOk(await accepts(again, old))
  const contents = contentOf(state)
  t.strictSame([contents.keys.id['kid'], contents.keys.old], [again.jwks().keys[0]?.kid, []])
})

t.test('a rotation that cannot be written does not happen', async (t) => {
  const { folder, state } = await kept(t)
  const pool = await start(t, { state, control: true })
  const before = pool.jwks()
  rmSync(folder, { recursive: true })
  t.throws(() => pool.rotateKeys(), {
    code: 'ERR_OPTION_INVALID',
    option: 'state',
    message:
      /^cognito-m2m: state: "pool\.state\.json": expected a file that can be written, got ENOENT\. /,
  })
  const headers = { 'content-type': 'application/json' }
  const body = '{"keepOld":false}'
  const answer = await ask(pool.port, { method: 'POST', path: '/_local/rotation', headers, body })
  t.match(answer, { status: 500, json: { error: /can be written, got ENOENT/ } })
  t.strictSame(pool.jwks(), before)
  mkdirSync(folder)
  pool.rotateKeys()
  t.equal(modeOf(state), 0o600, 'a file that was deleted is made again')
  t.not(pool.jwks().keys[0]?.kid, before.keys[0]?.kid)
})

t.test(
  'given secrets are not kept, generated ones are, even of clients that are gone',
  async (t) => {
    const given = { clientId: 'reader', clientSecrets: ['given-secret'] }
    const { state, pool } = await kept(t, { clients: [given, { clientId: 'constructor' }] })
    t.notMatch(readFileSync(state, 'utf8'), 'given-secret')
    const secretOf = (it: LocalUserPool, id: string) =>
      it.clients.find(({ clientId }) => clientId === id)?.clientSecrets
    const clients = [{ clientId: 'reader' }, { clientId: '__proto__' }, { clientId: 'toString' }]
    const second = await startUserPool({ state, clients })
    await second.close()
    t.strictSame(
      Object.keys(contentOf(state).clientSecrets).sort(),
      ['__proto__', 'constructor', 'reader', 'toString'].sort(),
    )
    const third = await start(t, { state, clients: [{ clientId: 'constructor' }, ...clients] })
    t.strictSame(secretOf(third, 'constructor'), secretOf(pool, 'constructor'))
    for (const { clientId } of clients) {
      t.strictSame(secretOf(third, clientId), secretOf(second, clientId), clientId)
    }
    t.ok(third.clients.every(({ clientSecrets }) => clientSecrets[0]?.length === 51))
  },
)

t.test('a tampered token of a resumed pool is still signed with another key', async (t) => {
  const { state } = await kept(t)
  const pool = await start(t, { state })
  for (const wrong of ['wrongKey', 'unknownKey', 'altered'] as const) {
    t.notOk(await accepts(pool, pool.tampered[wrong]()), wrong)
  }
})

t.test('a file that others can read is refused, with the fix', async (t) => {
  const { state } = await kept(t)
  for (const mode of [0o644, 0o640, 0o602, 0o610]) {
    chmodSync(state, mode)
    await t.rejects(startUserPool({ state }), {
      code: 'ERR_OPTION_INVALID',
      option: 'state',
      message: `cognito-m2m: state: "pool.state.json": expected mode 0600, got 0${mode.toString(8)}, with which others can use its private keys. Run chmod 600 pool.state.json.`,
    })
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(state, mode)
    await (await startUserPool({ state })).close()
  }
})

t.test('on Windows the mode says nothing', async (t) => {
  const { state } = await kept(t)
  chmodSync(state, 0o666)
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
  t.teardown(() => Object.defineProperty(process, 'platform', platform))
  await (await startUserPool({ state })).close()
})

t.test('its mode is 0600 whatever the umask is', async (t) => {
  const state = join(t.testdir({}), 'pool.state.json')
  const umask = process.umask(0o777)
  t.teardown(() => process.umask(umask))
  await (await startUserPool({ state })).close()
  t.equal(modeOf(state), 0o600)
})

/** Edits of a good file, and the position and expectation that the message names. */
const malformed: Record<string, [(content: Content) => unknown, RegExp]> = {
  'another version': [
    (it) => ({ ...it, version: 2 }),
    /: version: expected 1, got a value of type number/,
  ],
  'no object': [() => ['leaked'], /: the file: expected an object, got a value of type object/],
  null: [() => null, /: the file: expected an object, got a value of type null/],
  'an unknown member': [
    (it) => ({ ...it, leaked: 1 }),
    /: the file: expected the members version, issuer/,
  ],
  'a missing member': [
    ({ keys: _, ...it }) => it,
    /: the file: expected the members version, issuer/,
  ],
  'another issuer': [
    (it) => ({ ...it, issuer: 'http://0.0.0.0:1/xx-local-1_A' }),
    /: issuer: expected the issuer of a local pool, got a value of type string/,
  ],
  'a port that is none': [
    (it) => ({ ...it, issuer: 'http://127.0.0.1:65536/xx-local-1_A' }),
    /: issuer: expected the issuer of a local pool/,
  ],
  'no keys': [(it) => ({ ...it, keys: 'leaked' }), /: keys: expected an object/],
  'old keys that are none': [
    ({ keys, ...it }) => ({ ...it, keys: { ...keys, old: {} } }),
    /: keys\.old: expected an array, got a value of type object/,
  ],
  'an old key that is none': [
    ({ keys, ...it }) => ({ ...it, keys: { ...keys, old: [keys.id, 5] } }),
    /: keys\.old\[1\]: expected an object, got a value of type number/,
  ],
  'the same kid twice': [
    ({ keys, ...it }) => ({ ...it, keys: { ...keys, access: keys.id } }),
    /: keys: expected a different kid for each key/,
  ],
  'a kid that is none': [
    ({ keys, ...it }) => ({ ...it, keys: { ...keys, id: { ...keys.id, kid: 'leaked' } } }),
    /: keys\.id\.kid: expected 44 characters of base64, got a value of type string/,
  ],
  'a key that is none': [
    ({ keys, ...it }) => ({ ...it, keys: { ...keys, id: { ...keys.id, d: 5 } } }),
    /: keys\.id: expected a private RSA key of 2048 bits/,
  ],
  'a key whose parts are of two': [
    ({ keys, ...it }) => {
      const { p, q, dp, dq, qi, d } = keys.access
      return { ...it, keys: { ...keys, id: { ...keys.id, p, q, dp, dq, qi, d } } }
    },
    /: keys\.id: expected a private RSA key of 2048 bits/,
  ],
  'secrets that are none': [
    (it) => ({ ...it, clientSecrets: [] }),
    /: clientSecrets: expected an object/,
  ],
  'a secret that is none': [
    (it) => ({ ...it, clientSecrets: { billing: 'leaked' } }),
    /: clientSecrets\["billing"\]: expected a generated secret, got a value of type string/,
  ],
}

t.test('a malformed file is refused: position and fix, no content', async (t) => {
  const { state } = await kept(t)
  const good = contentOf(state)
  const refusal = async (t: Test, text: string) => {
    writeFileSync(state, text)
    const error = (await startUserPool({ state }).catch((it: unknown) => it)) as Error
    t.match(error, { code: 'ERR_OPTION_INVALID', option: 'state' })
    t.match(
      error.message,
      /^cognito-m2m: state: "pool\.state\.json":[^\n]+\. Delete the file to start with new keys\.$/,
    )
    for (const secret of ['leaked', String(good.keys.id['d']), String(good.keys.access['p'])]) {
      t.notMatch(inspect(error), secret)
    }
    t.equal(readFileSync(state, 'utf8'), text, 'it stays as it is')
    return error.message
  }
  for (const [name, [edit, expected]] of Object.entries(malformed)) {
    await t.test(name, async (t) => {
      t.match(await refusal(t, JSON.stringify(edit(structuredClone(good)))), expected)
    })
  }
  const whole = JSON.stringify(good, undefined, 2)
  const cut = `${whole.slice(0, 700)} leaked`
  t.match(await refusal(t, cut), /"pool\.state\.json":\d+:\d+: expected JSON, got a syntax error/)
  t.match(await refusal(t, ''), /"pool\.state\.json":1:1: expected JSON/)
  t.match(await refusal(t, 'leaked'), /"pool\.state\.json": expected JSON/)
})

t.test('a key of another length is refused', async (t) => {
  const { state } = await kept(t)
  const { generateKeyPairSync } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const content = contentOf(state)
  content.keys.id = { kid: content.keys.id['kid'], ...privateKey.export({ format: 'jwk' }) }
  writeFileSync(state, JSON.stringify(content))
  await t.rejects(startUserPool({ state }), /keys\.id: expected a private RSA key of 2048 bits/)
})

t.test('the state of another pool is refused, with both', async (t) => {
  const { state, pool } = await kept(t)
  const text = readFileSync(state, 'utf8')
  const got = `got host 127.0.0.1, port ${pool.port}, pool ${pool.userPoolId}. Set another file.`
  const other = pool.port === 4001 ? 4002 : 4001
  const others: [LocalUserPoolOptions, RegExp][] = [
    [{ userPoolId: 'xx-local-1_Other' }, /expected the state of [^\n]+pool xx-local-1_Other, got/],
    [{ host: '::1' }, /expected the state of host ::1, port/],
    [{ port: other }, new RegExp(`expected the state of host 127.0.0.1, port ${other}, pool`)],
  ]
  for (const [options, expected] of others) {
    const error = (await startUserPool({ ...options, state }).catch((it: unknown) => it)) as Error
    t.match(error, { code: 'ERR_OPTION_INVALID', option: 'state', message: expected })
    t.ok(error.message.endsWith(got), error.message)
  }
  t.equal(readFileSync(state, 'utf8'), text)
})

t.test('two pools do not run with one file: they would need one port', async (t) => {
  const { state } = await kept(t)
  const first = await start(t, { state })
  await t.rejects(startUserPool({ state }), {
    option: 'port',
    message: `cognito-m2m: port: expected port ${first.port} of the state file to be free, got a port in use. Stop the process that uses it, or set another file.`,
  })
  const { port } = first
  await t.rejects(startUserPool({ port }), { message: /which is in use\. Choose another port/ })
})

t.test('two pools do not make one file: the second ends', async (t) => {
  const state = join(t.testdir({}), 'pool.state.json')
  const [first, second] = await Promise.allSettled([start(t, { state }), start(t, { state })])
  t.equal(first.status, 'fulfilled')
  t.match(second, {
    status: 'rejected',
    reason: { option: 'state', message: /got EEXIST\. Set a separate file for each pool\.$/ },
  })
  t.ok(existsSync(state))
})

t.test('a link leads to the file, and stays a link', async (t) => {
  const { folder, state } = await kept(t)
  const link = join(folder, 'link.json')
  symlinkSync(state, link)
  const pool = await start(t, { state: link })
  pool.rotateKeys()
  t.ok(lstatSync(link).isSymbolicLink())
  t.equal(contentOf(state).keys.id['kid'], pool.jwks().keys[0]?.kid)
})

t.test('what is no file, or cannot be read or made, is refused', async (t) => {
  const folder = t.testdir({ folder: {}, file: '' })
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', ['-m', '600', pipe])
  for (const [state, expected] of [
    [
      join(folder, 'folder'),
      /"folder": expected a file, got another file type\. Set another path\.$/,
    ],
    [pipe, /"pipe": expected a file, got another file type/],
    [join(folder, 'file', 'in-a-file'), /"in-a-file": expected a readable file, got ENOTDIR/],
    [join(folder, 'none', 'state'), /"state": expected a file that can be written, got ENOENT/],
  ] as const) {
    await t.rejects(startUserPool({ state }), { option: 'state', message: expected })
  }
  for (const state of ['', null, 5, {}] as never[]) {
    await t.rejects(startUserPool({ state }), {
      option: 'state',
      message: /expected the path of a file/,
    })
  }
})

t.test('a name may be as long as a file system takes', async (t) => {
  const folder = t.testdir({})
  const [longest, longer] = [`${'l'.repeat(244)}.state.json`, `${'l'.repeat(245)}.state.json`]
  const pool = await start(t, { state: join(folder, longest) })
  pool.rotateKeys()
  t.strictSame(readdirSync(folder), [longest])
  await t.rejects(startUserPool({ state: join(folder, longer) }), {
    code: 'ERR_OPTION_INVALID',
    message: `cognito-m2m: state: "${longer}": expected a readable file, got ENAMETOOLONG. Set another path.`,
  })
})

t.test('production refuses it before the file is looked at', async (t) => {
  const before = process.env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'production'
  const state = join(t.testdir({}), 'pool.state.json')
  await t.rejects(startUserPool({ state }), { option: 'NODE_ENV', message: /got production/ })
  t.notOk(existsSync(state))
})
