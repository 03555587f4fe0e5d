import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { createTestUserPool, readPoolFile, startUserPool } from '../../src/testing/index.ts'
import { ask, decode, eventually, FORM, failure } from '../support/http.ts'
import { mockTimeouts } from '../support/timers.ts'

const clients = [{ clientId: 'billing', clientSecrets: ['first'], scopes: ['orders/read'] }]
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const JSON_TYPE = { 'content-type': 'application/json' }

t.test('the bin lives through a refusal', async (t) => {
  const child = spawn(
    process.execPath,
    [...process.execArgv, MAIN, 'local', '--port', '0', '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(new URL((JSON.parse(line.toString()) as { jwksUri: string }).jwksUri).port)
  await ask(port, {
    method: 'PUT',
    path: '/_local/jwks-fault',
    headers: JSON_TYPE,
    body: '{"fault":"refuse","seconds":2}',
  })
  const ended = once(child, 'exit').then(() => 'exited')
  const healed = (async () => {
    // The response arrives before the listener closes, so only a response after a refusal proves recovery.
    for (let refused = false; ; await setImmediate()) {
      const answered = (await failure(ask(port))) === 'answered'
      if (answered && refused) return 'healed'
      refused ||= !answered
    }
  })()
  t.equal(await Promise.race([ended, healed]), 'healed')
})

t.test('a pool whose port was taken does not crash the process when it heals', async (t) => {
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const pool = await startUserPool({ clients, control: true })
  t.teardown(() => pool.close())
  await ask(pool.port, {
    method: 'PUT',
    path: '/_local/jwks-fault',
    headers: JSON_TYPE,
    body: '{"fault":"refuse","seconds":1}',
  })
  const thief = await startUserPool({ port: pool.port })
  const rejections: unknown[] = []
  const note = (error: unknown) => rejections.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  mock.timers.tick(1000)
  for (let i = 0; i < 50; i += 1) await setImmediate()
  t.strictSame(rejections, [])
  await thief.close()
  mock.timers.tick(1000)
  const path = new URL(pool.jwksUri).pathname
  t.equal((await eventually(() => ask(pool.port, { path }))).status, 200)
})

t.test('wrongPool differs in the pool alone', async (t) => {
  const pool = createTestUserPool({ clients })
  t.match(decode(pool.tampered.wrongPool(), 1), { client_id: 'billing', scope: 'orders/read' })
  const local = await startUserPool({ clients })
  t.teardown(() => local.close())
  t.match(
    decode(local.tampered.wrongPool(), 1)['iss'],
    new RegExp(`^http://127.0.0.1:${local.port}/xx-local-1_`),
  )
})

t.test('wrongKey is signed by no published key', async (t) => {
  const pool = createTestUserPool({ clients })
  for (let round = 0; round < 4; round += 1) {
    for (const key of pool.jwks().keys) {
      const { kid } = decode(pool.tampered.wrongKey(), 0) as { kid: string }
      const set = createLocalJWKSet({ keys: [{ ...key, kid }] })
      await t.rejects(jwtVerify(pool.tampered.wrongKey(), set), {
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      })
    }
    pool.rotateKeys({ keepOld: round < 2 })
  }
})

t.test('more than 50 default scopes are refused, not cut', async (t) => {
  const scopes = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`s${i}`, 'x']))
  t.throws(() => createTestUserPool({ resourceServers: [{ identifier: 'a', scopes }] }), {
    code: 'ERR_OPTION_INVALID',
    message: /clients\[0\]\.scopes: expected at most 50 scopes, got all 51/,
  })
})

t.test('healing releases requests that hang', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  await pool.setJwksFault('hang')
  const hanging = failure(ask(pool.port, { path: new URL(pool.jwksUri).pathname }))
  while (pool.jwksRequests === 0) await setImmediate()
  await pool.setJwksFault(null)
  t.equal(
    await Promise.race([
      hanging,
      ask(pool.port)
        .then(() => ask(pool.port))
        .then(() => 'still hanging'),
    ]),
    'ECONNRESET',
  )
})

t.test('close wins over a heal that is under way; faults apply in order', async (t) => {
  const pool = await startUserPool({ clients })
  await pool.setJwksFault('refuse')
  const results = await Promise.allSettled([pool.setJwksFault(null), pool.setJwksFault('refuse')])
  t.strictSame(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled'],
  )
  t.equal(await failure(ask(pool.port)), 'ECONNREFUSED')
  const twice = await Promise.allSettled([pool.setJwksFault(null), pool.setJwksFault('500')])
  t.strictSame(
    twice.map(({ status }) => status),
    ['fulfilled', 'fulfilled'],
  )
  await pool.setJwksFault('refuse')
  await Promise.all([pool.setJwksFault(null), pool.close()])
  t.equal(await failure(ask(pool.port)), 'ECONNREFUSED')
})

t.test('line and column for any JSON fault', async (t) => {
  const folder = t.testdir({ x: '' })
  for (const [text, position] of [
    ['', '1:1'],
    ['{', '1:2'],
    ['{\n  x', '2:3'],
    ['{"a": [1,\n 2 3]}', '2:4'],
    ['{"a": "\\q"}', '1:9'],
    ['{} {}', '1:4'],
    ['{"a":1,}', '1:8'],
    ['{"a": 01}', '1:8'],
  ] as const) {
    const path = join(folder, 'pool.json')
    writeFileSync(path, text)
    try {
      readPoolFile(path)
      t.fail(text)
    } catch (error) {
      t.match((error as Error).message, `pool.json:${position}: `, JSON.stringify(text))
    }
  }
})

const send = (port: number, headers: string, body: Buffer | string) =>
  new Promise<string>((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => {
      const bytes = Buffer.from(body as string)
      socket.write(
        `POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\nContent-Type: ${FORM}\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`,
      )
      socket.write(bytes)
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`

t.test('ambiguous requests', async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  const grant = 'grant_type=client_credentials'
  t.match(
    await send(pool.port, basic('billing:first') + basic('billing:other'), grant),
    /400[\s\S]*invalid_request/,
    'two Authorization lines',
  )
  t.match(
    await send(
      pool.port,
      basic('billing:first'),
      Buffer.concat([Buffer.from(`${grant}&x=`), Buffer.from([0xff])]),
    ),
    /400[\s\S]*invalid_request/,
    'bytes that are no UTF-8',
  )
  t.match(
    await send(pool.port, basic('billing:first'), 'grant_type='),
    /400[\s\S]*invalid_request/,
    'an empty grant type is a missing one',
  )
  t.match(
    await send(
      pool.port,
      basic('billing:first'),
      `${grant}&client_secret=&client_id=&aws_client_metadata=`,
    ),
    /200 OK/,
    'empty parameters are absent (RFC 6749 3.2)',
  )
})

t.test('what the helper promises holds whatever the options say', async (t) => {
  const pool = createTestUserPool({ clients })
  t.throws(() => pool.tampered.expired({ expiresIn: 60 }), { code: 'ERR_OPTION_INVALID' })
  const exp = Math.floor(Date.now() / 1000) + 60
  t.ok((decode(pool.tampered.expired({ claims: { exp } }), 1)['exp'] as number) < exp - 60)
  t.equal(decode(pool.tampered.unsigned({ header: { alg: 'RS256' } }), 0)['alg'], 'none')
  const kid = pool.jwks().keys[1]?.kid as string
  t.not(decode(pool.tampered.unknownKey({ header: { kid } }), 0)['kid'], kid)
})

t.test('a fault of the program is one line, no stack', async (t) => {
  const child = spawn(process.execPath, [...process.execArgv, MAIN], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  t.strictSame(await once(child, 'close'), [2, null])
  t.match(err, /^cognito-m2m: [^\n]+\n$/)
})

t.test('definitions', async (t) => {
  t.throws(
    () => createTestUserPool({ clients: [{ clientId: 'a', accessTokenValidity: null as never }] }),
    { code: 'ERR_OPTION_INVALID' },
    'N',
  )
  await t.rejects(
    startUserPool({ port: null as never }).then((pool) => pool.close()),
    { code: 'ERR_OPTION_INVALID' },
    'N',
  )
  const pool = createTestUserPool({ clients })
  t.throws(
    () => pool.accessToken({ scope: 'orders/read' } as never),
    { code: 'ERR_OPTION_INVALID' },
    'O',
  )
  t.throws(() => pool.accessToken({ expiresIn: 0.5 }), { code: 'ERR_OPTION_INVALID' }, 'O')
  for (const clientSecrets of [['a', 'a'], ['a\nb']])
    t.throws(
      () => createTestUserPool({ clients: [{ clientId: 'a', clientSecrets }] }),
      { code: 'ERR_OPTION_INVALID' },
      'P',
    )
})
