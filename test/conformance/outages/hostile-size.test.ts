/** Answers of any size cost a bounded amount: of the wire, and of memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, deflateRawSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type JwksHandler, type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import type { Fetches } from './fetching.ts'

const KIB = 1024
const MIB = 1024 * KIB
const BLANKS = Buffer.alloc(16 * MIB, ' ')
/** What is read of one answer: the limit, and the chunk that passes it. */
const READ = 256 * KIB + 128 * KIB
/** What may be under way when an answer is cut: buffers of both sockets, 5 MiB where it was measured. */
const UNDER_WAY = 16 * MIB
/**
 * Growth of the process over all of it, against 20 small failing fetches. Measured 50 to 100 MiB, of
 * that 35 MiB for brotli decoders not yet collected. Fetches follow each other at once here, but are at
 * least a second apart in production. A single whole answer would be 150 MiB and more.
 */
const GROWTH = 192 * MIB
/**
 * The `deflate` decoder of Node cannot be stopped within one read of the socket. 64 KiB on the wire become
 * 64 MiB of spaces. They are released before the next fetch may begin.
 */
const GROWTH_OF_DEFLATE = 256 * MIB
const TIMES = 20

/** Pieces over and over: each is whole in itself, so that a gigabyte takes no time to make. */
function repeated(piece: Buffer, times: number, encoding?: string): JwksHandler {
  return (_request, response) => {
    const headers = encoding === undefined ? {} : { 'content-encoding': encoding }
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    const pieces = Readable.from(Array<Buffer>(times).fill(piece), { objectMode: false })
    pipeline(pieces, response, () => {})
  }
}

/** Ends on a byte's border and leaves the stream open for more. */
const block = deflateRawSync(BLANKS, { finishFlush: constants.Z_FULL_FLUSH })

const answers: Readonly<Record<string, JwksHandler>> = {
  '50 MB': repeated(BLANKS.subarray(0, MIB), 50),
  '1 GB': repeated(BLANKS.subarray(0, MIB), 1024),
  '48 MB in gzip': repeated(gzipSync(BLANKS), 3, 'gzip'),
  '1 GB in gzip': repeated(gzipSync(BLANKS), 64, 'gzip'),
  '64 MB in brotli': repeated(brotliCompressSync(Buffer.alloc(64 * MIB, ' ')), 1, 'br'),
  '1 GB in gzip in gzip': repeated(
    gzipSync(Buffer.concat(Array(64).fill(gzipSync(BLANKS)))),
    1,
    'gzip, gzip',
  ),
}

async function startPool(t: Test): Promise<LocalUserPool> {
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  return pool
}

/** A process that makes a given number of fetches. */
function startFetching(t: Test, pool: LocalUserPool) {
  const main = fileURLToPath(new URL('./fetching.ts', import.meta.url))
  const keyStore = { fetchTimeout: 30 }
  const options = JSON.stringify({ ...pool.options(), keyStore, token: pool.accessToken() })
  const child = spawn(process.execPath, [...process.execArgv, main, options], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return async (times: number): Promise<Fetches> => {
    child.send(times)
    const [fetches] = (await once(child, 'message')) as [Fetches]
    return fetches
  }
}

/** @returns The most that left the server's socket for one answer. */
async function counting(pool: LocalUserPool, handler: JwksHandler): Promise<() => number> {
  let most = 0
  await pool.setJwksFault((request, response) => {
    const { socket } = response
    const before = socket?.bytesWritten ?? 0
    response.once('close', () => {
      most = Math.max(most, (socket?.bytesWritten ?? 0) - before)
    })
    handler(request, response)
  })
  return () => most
}

t.jobs = 2

t.test('answers of any size are cut, and leave the process as large as small ones', async (t) => {
  const pool = await startPool(t)
  const fetchSome = startFetching(t, pool)
  await pool.setJwksFault('500')
  const small = await fetchSome(TIMES)
  t.strictSame(small.codes, ['ERR_JWKS_STATUS'])
  for (const [name, handler] of Object.entries(answers)) {
    const sent = await counting(pool, handler)
    const { codes, bytes, maxRss } = await fetchSome(TIMES)
    const growth = (maxRss - small.maxRss) * KIB
    t.strictSame(codes, ['ERR_JWKS_TOO_LARGE'], name)
    t.ok((bytes as number) <= READ, `${name}: ${bytes} bytes read`)
    t.ok(sent() <= UNDER_WAY, `${name}: ${sent()} bytes sent`)
    t.ok(growth <= GROWTH, `${name}: ${Math.round(growth / MIB)} MiB more`)
  }
})

t.test('a gigabyte in deflate costs no more than one read of the socket holds', async (t) => {
  const pool = await startPool(t)
  const fetchSome = startFetching(t, pool)
  await pool.setJwksFault('500')
  const small = await fetchSome(TIMES)
  await pool.setJwksFault(repeated(block, 64, 'deflate'))
  const { codes, bytes } = await fetchSome(1)
  t.strictSame(codes, ['ERR_JWKS_TOO_LARGE'])
  t.ok((bytes as number) <= READ, `${bytes} bytes read`)
  await pool.setJwksFault('500')
  const { maxRss } = await fetchSome(TIMES)
  const growth = (maxRss - small.maxRss) * KIB
  t.ok(growth <= GROWTH_OF_DEFLATE, `${Math.round(growth / MIB)} MiB more`)
})
