/**
 * What a cached token costs: `npm run bench -- memory`. 10,000 tokens of 860 characters are verified with strings
 * that nothing else holds. The figures are heap and off-heap bytes per token after full collections, before and
 * after scopes and claims of each token were read. Exits with 1 if one is over its limit.
 */
import { createResourceServer } from '../dist/index.js'
import { createTestUserPool } from '../dist/testing/index.js'
import { asLine, bytesInUse } from './micro.mjs'
import { table } from './table.mjs'

const ENTRIES = 10_000
const LENGTH = 860
/** Bytes per token. The first includes the header value that finds the token again. */
const LIMIT = 1100
const READ_LIMIT = 1700

const clients = Array.from({ length: 50 }, (_, index) => ({
  clientId: `client${String(index).padStart(20, '0')}`,
  scopes: ['orders/read', 'orders/write'],
}))
const pool = createTestUserPool({ clients })

/** A second scope fills the token up to its length. */
function createSigner() {
  const sign = (scopes, index) =>
    pool.accessToken({ clientId: clients[index % clients.length].clientId, scopes })
  for (let length = 1; length < 400; length += 1) {
    const scopes = ['orders/read', `orders/${'x'.repeat(length)}`]
    if (sign(scopes, 0).length >= LENGTH) return (index) => sign(scopes, index)
  }
  throw new Error(`expected tokens of ${LENGTH} characters, got shorter ones. Use more scopes.`)
}

let characters = 0

async function verifyAll(guard, lines, isRead) {
  for (const line of lines) {
    const token = await guard(line.toString('latin1'))
    if (isRead) characters += token.scopes.size + token.claims.client_id.length
  }
}

const sign = createSigner()
const lines = Array.from({ length: ENTRIES }, (_, index) => asLine(sign(index)))
/** Room for all: the default of 16 MiB, which estimates rather too much, would evict some. */
const options = { ...pool.options(), tokenCache: { maxEntries: ENTRIES, maxBytes: 64 * 2 ** 20 } }
const warm = createResourceServer(options)
await verifyAll(warm.guard({ scopes: 'orders/read' }), lines, true)
warm.close()
// All code is compiled now, and what is created once is there.
const before = await bytesInUse()
const guard = createResourceServer(options).guard({ scopes: 'orders/read' })
await verifyAll(guard, lines, false)
const unread = ((await bytesInUse()) - before) / ENTRIES
await verifyAll(guard, lines, true)
const read = ((await bytesInUse()) - before) / ENTRIES
if (characters < ENTRIES) throw new Error('expected that claims were read, got none')

const rows = [
  ['cached', unread, LIMIT],
  ['scopes and claims read', read, READ_LIMIT],
].map(([name, bytes, limit]) => [
  name,
  bytes.toFixed(0),
  String(limit),
  bytes > limit ? 'OVER' : 'ok',
])
process.stdout.write(
  `Node ${process.version}, ${ENTRIES} tokens of ${lines[0].length - 7} characters\n\n${table([['bytes per token', '', 'limit', ''], ...rows])}\n`,
)
if (unread > LIMIT || read > READ_LIMIT) process.exitCode = 1
