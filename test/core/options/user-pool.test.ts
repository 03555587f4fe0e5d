import t from 'tap'
import { readUserPool } from '../../../src/core/options/user-pool.ts'
import { OptionError } from '../../../src/index.ts'
import { CLIENT, ISSUER, jwk, keyPair, label, POOL, UPDATED_ISSUER } from '../../support/forge.ts'

const JWKS = { keys: [jwk()] }

function read(options: object) {
  return readUserPool({ userPoolId: POOL, clientId: CLIENT, ...options }, '')
}

function refused(options: object, place = ''): OptionError {
  try {
    readUserPool({ userPoolId: POOL, clientId: CLIENT, ...options }, place)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test('derives both issuer forms from the user pool id, the original form first', async (t) => {
  t.strictSame(read({}), {
    userPoolId: POOL,
    clientIds: new Set([CLIENT]),
    lookup: undefined,
    machinesOnly: true,
    audience: undefined,
    issuers: [ISSUER, UPDATED_ISSUER].map((issuer) => ({
      issuer,
      jwksUri: `${issuer}/.well-known/jwks.json`,
    })),
    staticKeys: undefined,
    local: false,
  })
})

t.test('rejects a malformed user pool id without an issuer', async (t) => {
  const malformed = [
    'eu-west-1',
    'eu-west-1_',
    '_Ab',
    'eu-west-1_A b',
    'EU-WEST-1_Ab',
    'x',
    'eu-west-1_Ab\n',
  ]
  for (const userPoolId of [...malformed, 'eu-west-1_Ab/..', 'evil.example/eu-west-1_Ab']) {
    const error = refused({ userPoolId })
    t.equal(error.option, 'userPoolId')
    t.match(
      error.message,
      /: expected "<region>_<letters and digits>", .*"eu-west-1_AbCdEfGhI", got .*, or set issuer\.$/,
    )
    t.notMatch(error.message, /[\r\n]/)
    t.ok(read({ userPoolId, issuer: 'https://id.example' }))
  }
  for (const userPoolId of ['', null, 5, [POOL], {}]) {
    const error = refused({ userPoolId, issuer: 'https://id.example' })
    t.match(error, {
      option: 'userPoolId',
      message: /: expected the id of the user pool, got .*\. Copy it from the Cognito console\.$/,
    })
  }
  t.match(refused({ userPoolId: undefined }).message, /got undefined\. Set it or leave it out\.$/)
})

t.test('requires clientId: a list, a lookup, or null for every app client', async (t) => {
  const lookup = () => true
  t.match(read({ clientId: null }), { clientIds: undefined, lookup: undefined })
  t.match(read({ clientId: lookup }), { clientIds: undefined, lookup })
  t.strictSame(read({ clientId: ['a', 'b', 'a'] }).clientIds, new Set(['a', 'b']))
  const missing = () => readUserPool({ userPoolId: POOL }, 'userPools[2]')
  t.throws(missing, {
    option: 'userPools[2].clientId',
    message:
      /: expected app client ids, got undefined\. List .*, or pass null for every app client/,
  })
  for (const clientId of ['', [], [''], ['a', null], 5, true, {}, new Set(['a'])]) {
    const { option, message } = refused({ clientId })
    t.match(option, /^clientId(\[[01]\])?$/, label(clientId))
    t.match(message, / app client id/)
  }
  t.match(refused({ clientId: undefined }), {
    option: 'clientId',
    message: /got undefined\. Set it or leave it out\.$/,
  })
})

t.test("subjects defaults to 'machine'", async (t) => {
  t.equal(read({ subjects: 'machine' }).machinesOnly, true)
  t.equal(read({ subjects: 'any' }).machinesOnly, false)
  t.strictSame(read({ audience: 'urn:a' }).audience, new Set(['urn:a']))
  t.equal(read({ audience: null }).audience, null)
  for (const subjects of ['user', 'ANY', '', true, null, ['any']]) {
    t.match(refused({ subjects }), {
      option: 'subjects',
      message: /: expected 'machine' or 'any', got .*\. Use one of the two\.$/,
    })
  }
})

t.test('an explicit issuer replaces the derived ones and locates the key set', async (t) => {
  const uris = (options: object) => read(options).issuers
  const jwksUri = 'https://id.example/p/.well-known/jwks.json'
  t.strictSame(uris({ issuer: 'https://id.example/p' }), [
    { issuer: 'https://id.example/p', jwksUri },
  ])
  t.equal(uris({ issuer: ['https://a.example', 'https://b.example'] }).length, 2)
  const elsewhere = { issuer: ['https://id.example'], jwksUri: 'https://keys.example/k' }
  t.strictSame(uris(elsewhere), [
    { issuer: 'https://id.example', jwksUri: 'https://keys.example/k' },
  ])
})

t.test('rejects http except on loopback, for issuer and jwksUri', async (t) => {
  const loopback = [
    'http://localhost',
    'http://LOCALHOST:9229/x',
    'http://127.0.0.1',
    'http://[::1]:80',
  ]
  const spelled = ['http://127.1/x', 'http://0x7f000001', 'http://[0:0:0:0:0:0:0:1]']
  for (const url of ['https://id.example', 'HTTPS://ID.example', ...loopback, ...spelled]) {
    t.ok(read({ issuer: url }), url)
    t.ok(read({ issuer: 'https://id.example', jwksUri: url }), url)
  }
  const tricks = [
    'http://127.0.0.1.evil.com',
    'http://localhost.evil.com',
    'http://evil.com#localhost',
  ]
  const hosts = [
    'http://localhost.',
    'http://[::ffff:127.0.0.1]',
    'http://127.0.0.2',
    'http://0.0.0.0',
  ]
  const userinfo = [
    'http://localhost@evil.com',
    'http://localhost:80@evil.com',
    'http://[::1]@evil.com',
  ]
  const schemes = [
    'ftp://localhost',
    'file:///etc/keys',
    'data:,x',
    'localhost',
    '//localhost',
    'x',
  ]
  const slashes = [
    'http://evil.com\\@localhost',
    'http://evil.com/localhost',
    'http://evil.com?localhost',
  ]
  for (const url of [
    ...tricks,
    ...hosts,
    ...userinfo,
    ...schemes,
    ...slashes,
    'http://',
    'https://',
  ]) {
    for (const options of [{ issuer: url }, { issuer: 'https://id.example', jwksUri: url }]) {
      const error = refused(options)
      t.equal(error.option, 'jwksUri' in options ? 'jwksUri' : 'issuer', url)
      t.match(
        error.message,
        /: expected an https URL, got ".*"\. Use https, or http for localhost, 127\.0\.0\.1 and \[::1\]\.$/,
      )
    }
  }
})

t.test('rejects an issuer with a trailing slash or a query, without showing it', async (t) => {
  for (const issuer of [
    ...['https://id.example/', 'https://id.example/secret/', 'https://id.example/secret//'],
    ...['https://id.example?secret', 'https://id.example/p?a=secret', 'https://id.example/secret?'],
    ...['http://localhost/', 'http://127.0.0.1:9229/secret/'],
  ]) {
    for (const options of [{ issuer }, { issuer: ['https://a.example', issuer] }]) {
      for (const more of [{}, { jwks: JWKS }]) {
        const error = refused({ ...options, ...more })
        t.match(error, {
          option: 'issuer',
          problem:
            /^expected an issuer without a query or a trailing slash, got one with .*\. Remove it: iss is compared as exact text\.$/,
        })
      }
    }
    t.equal(refused({ issuer, jwksUri: 'https://keys.example' }).option, 'issuer')
  }
  t.match(refused({ issuer: 'https://id.example/#' }), { option: 'issuer', problem: /a fragment/ })
  const jwksUri = 'https://keys.example/?version=1'
  t.equal(read({ issuer: 'https://id.example', jwksUri }).issuers[0]?.jwksUri, jwksUri)
})

t.test('accepts an http issuer from which nothing is fetched', async (t) => {
  const issuer = 'http://localstack:4566/eu-west-1_AbCdEfGhI'
  t.strictSame(
    read({ issuer, jwks: JWKS }).issuers.map((it) => it.issuer),
    [issuer],
  )
  t.match(read({ issuer, jwks: JWKS }).staticKeys, { isOffline: true })
  for (const jwksUri of [
    'http://127.0.0.1:4566/keys',
    'http://localhost/keys',
    'https://k.example',
  ]) {
    t.strictSame(read({ issuer, jwksUri }).issuers, [{ issuer, jwksUri }])
    t.strictSame(read({ issuer, jwksUri, jwks: { initial: JWKS } }).issuers, [{ issuer, jwksUri }])
  }
  for (const fetched of [{}, { jwks: { initial: JWKS } }]) {
    t.match(refused({ issuer, ...fetched }), {
      option: 'issuer',
      problem:
        /^expected an https URL, got "http:\/\/localstack:4566\/.*"\. Use https, or http for/,
    })
    t.match(refused({ issuer: [issuer], ...fetched }), { option: 'issuer' })
  }
  t.match(refused({ issuer, jwksUri: 'http://localstack:4566/keys' }), {
    option: 'jwksUri',
    problem: /^expected an https URL, got "http:\/\/localstack:4566\/.*"\. Use https, or http for/,
  })
  for (const other of ['ftp://localstack/p', 'http://me:secret@localstack/p', 'http://a/p#', 'x']) {
    t.equal(refused({ issuer: other, jwks: JWKS }).option, 'issuer', other)
  }
})

t.test('rejects jwksUri with an offline jwks', async (t) => {
  const options = { issuer: 'https://id.example', jwksUri: 'https://keys.example' }
  t.match(refused({ ...options, jwks: JWKS }), {
    option: 'jwksUri',
    problem:
      /^expected no jwksUri with jwks, got both\. Remove one of them, or pass the keys as jwks\.initial\.$/,
  })
  t.match(read({ ...options, jwks: { initial: JWKS } }).staticKeys, { isOffline: false })
})

t.test('rejects a comma in an app client id', async (t) => {
  const problem = /^expected one app client id, got "a,b"\. Pass several as an array\.$/
  t.match(refused({ clientId: 'a,b' }), { option: 'clientId', problem })
  t.match(refused({ clientId: ['c', 'a,b'] }), { option: 'clientId[1]', problem })
  for (const clientId of [',', 'a,', ',a']) t.equal(refused({ clientId }).option, 'clientId')
})

t.test('rejects credentials and fragments in URLs, without showing them', async (t) => {
  const urls = [
    'https://me:secret@id.example',
    'https://secret@id.example',
    'http://:secret@localhost',
  ]
  for (const url of [...urls, 'https://id.example/#secret']) {
    const error = refused({ issuer: url })
    t.match(error, {
      option: 'issuer',
      message:
        /: expected a URL without credentials or a fragment, got one with (credentials|a fragment)\. Remove \1\.$/,
    })
    t.notMatch(error.message, /secret/)
  }
})

t.test('rejects whitespace in URLs', async (t) => {
  const issuer = 'https://id.example'
  for (const url of [
    `${issuer} `,
    ` ${issuer}`,
    `${issuer}\n`,
    'https://id.exam\tple',
    '\u00a0x',
  ]) {
    t.equal(refused({ issuer: url }).option, 'issuer', label(url))
    t.equal(refused({ issuer, jwksUri: url }).option, 'jwksUri', label(url))
  }
})

t.test('shows no credentials of a URL with a rejected scheme', async (t) => {
  for (const url of [
    'http://me:secret@id.example',
    'ftp://secret@localhost',
    'http://se@cret:secret@x',
  ]) {
    t.notMatch(refused({ issuer: url }).message, /secret|me:/)
  }
})

t.test('rejects an invalid issuer', async (t) => {
  for (const issuer of ['', null, 5, [], [''], ['https://id.example', 5], {}]) {
    const { option, problem } = refused({ issuer })
    t.match(option, /^issuer(\[[01]\])?$/, label(issuer))
    t.match(problem, / issuer/)
  }
})

t.test('rejects a jwksUri that is not a string', async (t) => {
  for (const jwksUri of [5, null, ['https://keys.example'], {}]) {
    const error = refused({ issuer: 'https://id.example', jwksUri })
    t.match(error, {
      option: 'jwksUri',
      message: /: expected the URL of the key set, got .*\. Pass a string\.$/,
    })
  }
})

t.test('jwksUri requires exactly one explicit issuer', async (t) => {
  const jwksUri = 'https://keys.example'
  for (const options of [
    { jwksUri },
    { jwksUri, issuer: ['https://a.example', 'https://b.example'] },
  ]) {
    t.match(refused(options), {
      option: 'jwksUri',
      message: /: expected exactly one issuer with jwksUri, got [02]\. Set issuer to the issuer of/,
    })
  }
})

t.test('imports static keys, offline or until the first fetch', async (t) => {
  t.match(read({ jwks: JWKS }).staticKeys, { isOffline: true })
  t.match(read({ jwks: { initial: JWKS } }).staticKeys, { isOffline: false })
  const weak = { keys: [jwk({}, keyPair('weak', 1024))] }
  for (const jwks of [null, [], {}, { keys: [] }, weak, JWKS.keys, 'x', 5, () => JWKS]) {
    const error = refused({ jwks })
    t.equal(error.option, 'jwks', label(jwks))
    t.match(
      error.message,
      /: expected \{ keys: \[…\] \} with .*, got .* without one\. Pass the JWKS of the user pool\.$/,
    )
    t.equal(refused({ jwks: { initial: jwks } }).option, 'jwks.initial')
  }
  t.equal(refused({ jwks: { initial: JWKS, keys: JWKS.keys } }).option, 'jwks.keys')
  t.match(
    refused({ jwks: { initial: undefined } }).message,
    /jwks\.initial: expected a value, got undefined/,
  )
})

t.test('rejects unknown members', async (t) => {
  for (const name of ['region', 'clientIds', 'tokenUse', 'scope']) {
    t.equal(refused({ [name]: 'x' }, 'userPools[0]').option, `userPools[0].${name}`)
  }
})
