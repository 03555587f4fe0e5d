/** `importUsage`: counts tokens from CloudTrail events and results of CloudWatch Logs Insights. */
import { isUtf8 } from 'node:buffer'
import { addAbortSignal, type Readable } from 'node:stream'
import {
  describeValue,
  type Members,
  OptionError,
  readList,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { type ReadEvent, readEvent } from './cloudtrail.ts'
import { UsageCollector } from './collector.ts'
import {
  type InsightsRow,
  isInsightsRow,
  readCsvHeader,
  readFieldList,
  readInsightsRow,
  toCsvRow,
} from './insights.ts'
import { getMember } from './members.ts'
import { RecordScanner } from './record-scanner.ts'
import { decompress, listSources, type OpenableSource } from './sources.ts'
import type {
  ImportUsageOptions,
  MalformedRecord,
  SkippedFile,
  UsageImport,
  UsageImportStream,
} from './types.ts'
import { readUsageImport } from './usage-import.ts'

const DEFAULT_MAX_BYTES = 16_000_000_000
const MAX_CLIENTS = 10_000
const MAX_SHOWN_MALFORMED = 10
const MAX_SHOWN_SKIPPED = 100

/**
 * Counts the tokens in AWS records: log files of CloudTrail, one event per line, and results of CloudWatch Logs
 * Insights, plain or compressed with gzip. It streams, so memory does not grow with the size of the files. It keeps no
 * source address and no other member of an event.
 *
 * @param sources Paths of files and folders, and streams. Symbolic links are not followed.
 * @param options `previous` continues an earlier import.
 * @returns Tokens by day and client, request rates, and a summary of what was read.
 * @throws {OptionError} `ERR_OPTION_INVALID` for a path that is no file, and for more bytes or events than the limits.
 * @example
 * ```ts
 * const { days, peaks, summary } = await importUsage(['AWSLogs/123456789012/CloudTrail'])
 * ```
 */
export async function importUsage(
  sources: readonly (string | UsageImportStream)[],
  options: ImportUsageOptions = {},
): Promise<UsageImport> {
  const inputs = readSources(sources)
  const members = readMembers(options, ['previous', 'maxBytes', 'maxClients', 'signal'], '')
  const run = new ImportRun(members)
  for (const source of listSources(inputs, (file) => run.skip(file))) await run.read(source)
  return run.finish()
}

function readSources(value: unknown): readonly (string | UsageImportStream)[] {
  const inputs = readList(value, 'sources', (source, at) => {
    const { name, stream } = Object(source) as Partial<UsageImportStream>
    const isStream = typeof name === 'string' && typeof stream?.pipe === 'function'
    if (typeof source === 'string' || isStream) return source as string | UsageImportStream
    throw new OptionError(
      at,
      `expected a path or a stream, got ${describeValue(source)}. Pass a text, or { name, stream }.`,
    )
  })
  if (inputs !== undefined && inputs.length > 0) return inputs
  throw new OptionError(
    'sources',
    `expected an array of paths and streams, got ${describeValue(value)}. Pass at least one.`,
  )
}

/** State of one import. */
class ImportRun {
  readonly #collector: UsageCollector
  readonly #maxBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #firstMalformed: MalformedRecord[] = []
  readonly #skipped: SkippedFile[] = []
  #malformed = 0
  #skippedFiles = 0
  #sources = 0
  #bytes = 0

  constructor(members: Members) {
    const limit = (name: string, max: number, defaultValue: number, unit: string): number =>
      readNumber(members, name, '', { min: 1, max, defaultValue, unit, integer: true })
    this.#maxBytes = limit('maxBytes', 1e12, DEFAULT_MAX_BYTES, 'bytes')
    this.#signal = members['signal'] as AbortSignal | undefined
    const { previous } = members
    this.#collector = new UsageCollector({
      maxClients: limit('maxClients', MAX_CLIENTS, MAX_CLIENTS, 'app clients'),
      previous: previous === undefined ? undefined : readUsageImport(previous, 'previous'),
    })
  }

  skip(file: SkippedFile): void {
    this.#skippedFiles += 1
    if (this.#skipped.length < MAX_SHOWN_SKIPPED) this.#skipped.push(file)
  }

  /** Errors of the source are malformed records, so that one broken file does not end the import. */
  async read({ name, open }: OpenableSource): Promise<void> {
    this.#sources += 1
    const reader = new DocumentReader(this.#collector, (position, reason) =>
      this.#addMalformed({ source: name, position, reason }),
    )
    const scanner = new RecordScanner(reader)
    try {
      const stream = open()
      if (this.#signal !== undefined) addAbortSignal(this.#signal, stream as Readable)
      for await (const chunk of decompress(stream)) {
        this.#addBytes(chunk.length)
        scanner.push(chunk)
      }
      scanner.end()
    } catch (error) {
      if (error instanceof OptionError) throw error
      this.#signal?.throwIfAborted()
      // The text of the error may quote the path or content.
      const { code } = error as NodeJS.ErrnoException
      reader.malformed(`cannot be read (${typeof code === 'string' ? code : 'error'})`)
    }
  }

  finish(): UsageImport {
    const summary = {
      sources: this.#sources,
      bytes: this.#bytes,
      ...this.#collector.counts,
      records: this.#collector.counts.records + this.#malformed,
      malformed: this.#malformed,
      firstMalformed: this.#firstMalformed,
      skipped: this.#skipped,
      skippedFiles: this.#skippedFiles,
    }
    return { version: 1, ...this.#collector.finish(), summary }
  }

  #addMalformed(record: MalformedRecord): void {
    this.#malformed += 1
    if (this.#firstMalformed.length < MAX_SHOWN_MALFORMED) this.#firstMalformed.push(record)
  }

  #addBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes) return
    throw new OptionError(
      'maxBytes',
      `expected at most ${this.#maxBytes} bytes after decompression, got more. Import fewer files at once, or pass a higher limit.`,
    )
  }
}

/** Parses the records of one source. */
class DocumentReader {
  readonly #collector: UsageCollector
  readonly #onMalformed: (position: number, reason: string) => void
  #position = 0
  /** The header of a CSV file. Undefined if the source is JSON. */
  #columns: readonly string[] | undefined

  constructor(collector: UsageCollector, onMalformed: (position: number, reason: string) => void) {
    this.#collector = collector
    this.#onMalformed = onMalformed
  }

  record(bytes: Buffer, kind: 'line' | 'element'): void {
    this.#position += 1
    if (!isUtf8(bytes)) {
      this.#onMalformed(this.#position, 'expected UTF-8')
      return
    }
    const text = bytes.toString('utf8')
    const line = text.trim()
    if (line === '') return
    const read = kind === 'line' ? this.#readLine(line) : readJson(text)
    if (read === undefined) return
    if (read.kind === 'malformed') this.#onMalformed(this.#position, read.reason)
    else this.#collector.addEvent(read)
  }

  malformed(reason: string): void {
    this.#position += 1
    this.#onMalformed(this.#position, reason)
  }

  #readLine(line: string): ReadEvent | InsightsRow | undefined {
    if (this.#columns !== undefined) {
      const row = toCsvRow(this.#columns, line)
      return row === undefined
        ? { kind: 'malformed', reason: `expected ${this.#columns.length} cells` }
        : readInsightsRow(row)
    }
    if (this.#position === 1) this.#columns = readCsvHeader(line)
    return this.#columns === undefined ? readJson(line) : undefined
  }
}

function readJson(text: string): ReadEvent | InsightsRow {
  const value = parseJson(text)
  const record = readFieldList(value) ?? value
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { kind: 'malformed', reason: 'expected a JSON object' }
  }
  if (isInsightsRow(record)) return readInsightsRow(record)
  // A result of `aws cloudtrail lookup-events` has the event as text.
  const nested = getMember(record, 'CloudTrailEvent')
  if (typeof nested !== 'string') return readEvent(record)
  const event = parseJson(nested)
  return typeof event === 'object' && event !== null
    ? readEvent(event)
    : { kind: 'malformed', reason: 'CloudTrailEvent: expected a JSON object' }
}

/** @returns Undefined for invalid JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
