/** Finds and opens the files of an import. Symbolic links are not followed. */
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline, Readable as ReadableStream } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import type { SkippedFile, UsageImportStream } from './types.ts'

/** Bytes of one read, and of one decompressed part. */
const CHUNK_BYTES = 262_144
/** Names of files in a folder that may have records. A file that is passed by its name may have any name. */
const RECORD_FILE = /\.(?:gz|json|jsonl|ndjson|csv|log|txt)$/i

/** A source that can be opened once. */
export interface OpenableSource {
  readonly name: string
  /** @throws If the file cannot be opened, or is no regular file. */
  open(): Readable
}

/**
 * Lists sources in the order of the names, and the files of a folder by name, with those of its subfolders.
 *
 * @param onSkip Called for each file of a folder that is not read.
 * @throws {OptionError} for a named file that does not exist, or is neither a regular file nor a folder.
 */
export function* listSources(
  inputs: readonly (string | UsageImportStream)[],
  onSkip: (file: SkippedFile) => void,
): Generator<OpenableSource> {
  for (const [index, input] of inputs.entries()) {
    if (typeof input !== 'string') {
      yield { name: input.name, open: () => input.stream }
      continue
    }
    const stat = lstatSync(input, { throwIfNoEntry: false })
    if (stat?.isDirectory()) yield* listFolder(input, onSkip)
    else if (stat?.isFile()) yield { name: input, open: () => openFile(input) }
    else {
      const found = stat === undefined ? 'none' : describeKind(stat)
      throw new OptionError(
        `sources[${index}]`,
        `expected a file or a folder, got ${found} at ${describeValue(input)}. Correct the path.`,
      )
    }
  }
}

function* listFolder(
  folder: string,
  onSkip: (file: SkippedFile) => void,
): Generator<OpenableSource> {
  let entries: ReturnType<typeof readEntries>
  try {
    entries = readEntries(folder)
  } catch (error) {
    onSkip({ path: folder, reason: `cannot be read (${(error as NodeJS.ErrnoException).code})` })
    return
  }
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* listFolder(path, onSkip)
    else if (!entry.isFile()) onSkip({ path, reason: describeKind(entry) })
    else if (RECORD_FILE.test(entry.name)) yield { name: path, open: () => openFile(path) }
    else onSkip({ path, reason: 'another type of file' })
  }
}

function readEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort(
    (a, b) => Number(a.name > b.name) - Number(a.name < b.name),
  )
}

function describeKind(entry: { isSymbolicLink(): boolean; isFIFO(): boolean }): string {
  if (entry.isSymbolicLink()) return 'a symbolic link'
  return entry.isFIFO() ? 'a pipe' : 'a special file'
}

/** Opens without following a link, which may have replaced the file, and without waiting for the writer of a pipe. */
export function openFile(path: string): Readable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    if (fstatSync(fd).isFile()) return createReadStream(path, { fd, highWaterMark: CHUNK_BYTES })
    throw Object.assign(new Error('no regular file'), { code: 'EINVAL' })
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Decompresses a stream that begins with the magic bytes of gzip. Other streams are passed on. */
export async function* decompress(stream: Readable): AsyncGenerator<Buffer> {
  const chunks = readChunks(stream)
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { value, done } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const all = prepend(head, chunks)
  if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzip(all)
  else yield* all
}

async function* prepend(head: Buffer, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* chunks
}

async function* readChunks(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
}

async function* gunzip(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  // An error of either stream is thrown by the loop below.
  const output = pipeline(
    ReadableStream.from(chunks, { objectMode: false }),
    createGunzip({ chunkSize: CHUNK_BYTES }),
    () => {},
  )
  for await (const chunk of output) yield chunk as Buffer
}
