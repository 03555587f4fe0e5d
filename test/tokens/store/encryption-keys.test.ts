import { randomBytes } from 'node:crypto'
import t from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { readEncryptionKeys } from '../../../src/tokens/store/encryption-keys.ts'
import { deriveName } from '../../../src/tokens/store/sealing.ts'

const bytes = randomBytes(32)
const identity = new Uint8Array([1, 2, 3])

t.test('bytes, base64 and base64url give the same key', async (t) => {
  const forms = [
    new Uint8Array(bytes),
    bytes,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('base64').replace(/=+$/, ''),
  ]
  const names = forms.map((key) => deriveName(identity, readEncryptionKeys([{ id: 'a', key }])))
  t.equal(new Set(names).size, 1)
  t.match(names[0], /^[\w-]{43}$/)
})

t.test('derived keys differ by purpose and by key', async (t) => {
  const [one, two] = readEncryptionKeys([
    { id: 'a', key: bytes },
    { id: 'b', key: randomBytes(32) },
  ])
  const all = [one, two].flatMap((key) => [key?.naming, key?.grouping, key?.sealing])
  t.equal(new Set(all.map((key) => key?.export().toString('hex'))).size, 6)
  for (const key of all) t.notOk(key?.export().equals(bytes))
})

t.test('changing the bytes later has no effect', async (t) => {
  const key = new Uint8Array(bytes)
  const keys = readEncryptionKeys([{ id: 'a', key }])
  const name = deriveName(identity, keys)
  key.fill(0)
  t.equal(deriveName(identity, keys), name)
})

t.test('without keys, all stores of this process share one', async (t) => {
  t.equal(
    deriveName(identity, readEncryptionKeys(undefined)),
    deriveName(identity, readEncryptionKeys(undefined)),
  )
})

t.test('errors name an invalid key, and never show it', async (t) => {
  const key = bytes.toString('base64')
  const short = randomBytes(16).toString('base64')
  const wrong: readonly (readonly [unknown, string])[] = [
    [key, 'encryptionKeys'],
    [null, 'encryptionKeys'],
    [{}, 'encryptionKeys'],
    [[], 'encryptionKeys'],
    [['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, key })), 'encryptionKeys'],
    [[key], 'encryptionKeys[0]'],
    [[{ key }], 'encryptionKeys[0].id'],
    [[{ id: '', key }], 'encryptionKeys[0].id'],
    [[{ id: 'x'.repeat(33), key }], 'encryptionKeys[0].id'],
    [[{ id: 'ä', key }], 'encryptionKeys[0].id'],
    [
      [
        { id: 'a', key },
        { id: 'a', key },
      ],
      'encryptionKeys[1].id',
    ],
    [[{ id: key, key: 'a' }], 'encryptionKeys[0].id'],
    [[{ id: 1, key }], 'encryptionKeys[0].id'],
    [[{ id: 'a' }], 'encryptionKeys[0].key'],
    [[{ id: 'a', key: 5 }], 'encryptionKeys[0].key'],
    [[{ id: 'a', key: short }], 'encryptionKeys[0].key'],
    [[{ id: 'a', key: new Uint8Array(31) }], 'encryptionKeys[0].key'],
    [[{ id: 'a', key: `${key.slice(0, 20)} ${key.slice(20)}` }], 'encryptionKeys[0].key'],
    [[{ id: 'a', key, extra: 1 }], 'encryptionKeys[0].extra'],
  ]
  for (const [value, option] of wrong) {
    try {
      readEncryptionKeys(value)
      t.fail(`no error for ${option}`)
    } catch (error) {
      t.ok(error instanceof OptionError)
      const { option: named, message } = error as OptionError
      t.equal(named, option)
      t.notMatch(message, key.slice(0, 12))
      t.notMatch(message, short.slice(0, 12))
    }
  }
})
