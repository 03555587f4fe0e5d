/** A million CloudTrail events: `usage import` takes under 60 s of CPU time and 256 MB. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import t from 'tap'
import { EVENT_TIME, tokenEvent } from '../../../support/cloudtrail.ts'

const MAIN = fileURLToPath(new URL('../../../../src/cli/main.ts', import.meta.url))
const EVENTS = 1_000_000
const CLIENTS = 500
const EVENTS_PER_CHUNK = 1000
const MAX_CPU_SECONDS = 60
const MAX_BYTES = 256 * 1024 * 1024

/** Prints the CPU time and the peak memory of the process when it ends. */
const MEASURE = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  process.stderr.write(JSON.stringify({ bytes: maxRSS * 1024, seconds: (userCPUTime + systemCPUTime) / 1e6 }))
})`)}`

/** One log file with all events. Every tenth event is delivered twice. */
function* createDocument(): Generator<string> {
  const marks = ['00000000-id', 'client-mark', '2026-03-10T12:00:00Z'] as const
  const template = JSON.stringify(
    tokenEvent({ eventId: marks[0], clientId: marks[1], at: EVENT_TIME, scope: 'orders/read' }),
  )
  const [beforeTime = '', afterTime = ''] = template.split(marks[2])
  const [beforeClient = '', afterClient = ''] = afterTime.split(marks[1])
  const [beforeId = '', afterId = ''] = afterClient.split(marks[0])
  yield '{"Records":['
  for (let first = 0; first < EVENTS; first += EVENTS_PER_CHUNK) {
    const events = Array.from({ length: EVENTS_PER_CHUNK }, (_, index) => {
      const id = first + index
      const time = `${new Date((EVENT_TIME + id * 2) * 1000).toISOString().slice(0, 19)}Z`
      const event = `${beforeTime}${time}${beforeClient}client-${id % CLIENTS}${beforeId}event ${id}${afterId}`
      return id % 10 === 0 ? `${event},${event}` : event
    })
    yield `${first === 0 ? '' : ','}${events.join(',')}`
  }
  yield ']}'
}

t.test(`${EVENTS} events`, { timeout: 600_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'million-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const data = join(folder, 'usage.json')
  // Coverage of this process would be measured too, and slow it down.
  const { NODE_V8_COVERAGE: _, ...env } = process.env
  const args = [`--import=${MEASURE}`, MAIN, 'usage', 'import', '--json', '--data', data]
  const child = spawn(process.execPath, [...process.execArgv, ...args], { env })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = once(child, 'close')
  await pipeline(Readable.from(createDocument()), createGzip({ level: 1 }), child.stdin)
  t.strictSame(await ended, [0, null])
  t.match(JSON.parse(out), { counted: EVENTS, duplicates: EVENTS / 10, malformed: 0, withoutId: 0 })
  const { days } = JSON.parse(readFileSync(data, 'utf8')) as { days: readonly { issued: number }[] }
  t.equal(
    days.reduce((sum, { issued }) => sum + issued, 0),
    EVENTS,
  )
  const { bytes, seconds } = JSON.parse(err) as { bytes: number; seconds: number }
  t.comment(`${Math.round(bytes / 1e6)} MB, ${seconds.toFixed(1)} s`)
  t.ok(bytes <= MAX_BYTES, `${bytes} bytes`)
  t.ok(seconds <= MAX_CPU_SECONDS, `${seconds} s`)
})
