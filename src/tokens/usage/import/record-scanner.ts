/**
 * Splits a stream of bytes into records, without building the document. Records are lines (NDJSON and CSV), and the
 * elements of `{"Records":[…]}` and `[…]`, whose documents are often a single line. A record has a limited length.
 */

/** Longest record in bytes. CloudTrail's limit of an event is 256 KB. */
export const MAX_RECORD_BYTES = 1_048_576

/** Bytes of the beginning of a document in which the list of records must begin. */
const MAX_HEAD_BYTES = 4096
/** The document is a list of records: of a trail, of Logs Insights, and of `aws cloudtrail lookup-events`. */
const LIST_HEAD =
  /^\s*(?:\[|\{\s*(?:"[^"\\]*"\s*:\s*"[^"\\]*"\s*,\s*)*"(?:Records|results|Events)"\s*:\s*\[)$/
/** An object that continues on the next line. */
const OBJECT_HEAD = /^\s*\{\s*\n/

const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Receives records in order. */
export interface RecordHandler {
  /** @param kind A `line` ends with a line break, and may be JSON or CSV. An `element` is JSON. */
  record(bytes: Buffer, kind: 'line' | 'element'): void
  malformed(reason: string): void
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

/** `head` and `line` are at the top level. `list` is between records, `record` in one, `tail` after the list. */
type Mode = 'head' | 'line' | 'list' | 'record' | 'tail'

export class RecordScanner {
  readonly #handler: RecordHandler
  #mode: Mode = 'head'
  /** Parts of the current head, line or record. */
  #parts: Buffer[] = []
  #length = 0
  #isTooLong = false
  /** Open arrays and objects of the current record or tail. */
  #depth = 0
  #inString = false
  #isEscaped = false
  /** Whether the record is in a list, and whether the list is in an object. */
  #inList = false
  #listIsMember = false
  #hasGarbage = false

  constructor(handler: RecordHandler) {
    this.#handler = handler
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.#step(chunk, at)
  }

  /** Ends the document. A record that did not end is malformed. */
  end(): void {
    if (this.#mode === 'head') this.#endHead()
    if (this.#mode === 'line') this.#endLine()
    else if (this.#mode !== 'head') this.#handler.malformed('the document ended early')
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#mode) {
      case 'head':
        return this.#stepHead(chunk, at)
      case 'line':
        return this.#stepLine(chunk, at)
      case 'list':
        return this.#stepList(chunk, at)
      default:
        return this.#stepNested(chunk, at)
    }
  }

  /** Collects bytes up to the first bracket behind the first brace, which decides about the kind of document. */
  #stepHead(chunk: Buffer, start: number): number {
    let at = start
    let isDecided = false
    while (at < chunk.length && !isDecided) {
      const byte = chunk[at] as number
      at += 1
      const length = this.#length + at - start
      // A text that begins otherwise is a line.
      const isObject = this.#depth > 0
      isDecided =
        byte === OPEN_ARRAY ||
        length >= MAX_HEAD_BYTES ||
        (isObject ? byte === OPEN_OBJECT : !isBlank(byte) && byte !== OPEN_OBJECT)
      if (byte === OPEN_OBJECT) this.#depth += 1
    }
    this.#append(chunk, start, at)
    if (isDecided) this.#endHead()
    return at
  }

  #endHead(): void {
    const head = Buffer.concat(this.#parts)
    this.#reset()
    const text = head.toString('latin1')
    if (LIST_HEAD.test(text)) {
      this.#mode = 'list'
      this.#inList = true
      this.#listIsMember = text.trimStart().startsWith('{')
      return
    }
    if (text.trim() === '') return
    this.#mode = OBJECT_HEAD.test(text) ? 'record' : 'line'
    this.#inList = false
    this.push(head)
  }

  #stepLine(chunk: Buffer, start: number): number {
    const newline = chunk.indexOf(NEWLINE, start)
    const end = newline === -1 ? chunk.length : newline
    this.#append(chunk, start, end)
    if (newline === -1) return end
    this.#endLine()
    return newline + 1
  }

  #endLine(): void {
    this.#emit('line')
    this.#mode = 'head'
  }

  /** Skips blanks and commas between records. */
  #stepList(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at] as number
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#mode = 'record'
        this.#hasGarbage = false
        return at
      }
      if (byte === CLOSE_ARRAY) {
        this.#inList = false
        this.#hasGarbage = false
        this.#depth = 1
        this.#mode = this.#listIsMember ? 'tail' : 'head'
        if (this.#mode === 'head') this.#reset()
        return at + 1
      }
      if (isBlank(byte) || byte === COMMA || this.#hasGarbage) continue
      this.#hasGarbage = true
      this.#handler.malformed('expected an object between the records')
    }
    return chunk.length
  }

  /** Finds the end of a record or of the object around the list. Brackets in strings do not count. */
  #stepNested(chunk: Buffer, start: number): number {
    let [depth, inString, isEscaped] = [this.#depth, this.#inString, this.#isEscaped]
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at] as number
      if (inString) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) inString = false
        continue
      }
      if (byte === QUOTE) inString = true
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth -= 1
        if (depth > 0) continue
        this.#endNested(chunk, start, at + 1)
        return at + 1
      }
    }
    if (this.#mode === 'record') this.#append(chunk, start, chunk.length)
    this.#depth = depth
    this.#inString = inString
    this.#isEscaped = isEscaped
    return chunk.length
  }

  #endNested(chunk: Buffer, start: number, end: number): void {
    this.#depth = 0
    this.#inString = false
    this.#isEscaped = false
    if (this.#mode === 'record') {
      this.#append(chunk, start, end)
      this.#emit('element')
    }
    this.#mode = this.#inList ? 'list' : 'head'
    this.#reset()
  }

  #append(chunk: Buffer, start: number, end: number): void {
    if (start === end || this.#isTooLong) return
    this.#length += end - start
    this.#isTooLong = this.#length > MAX_RECORD_BYTES
    if (this.#isTooLong) this.#parts = []
    else this.#parts.push(chunk.subarray(start, end))
  }

  #emit(kind: 'line' | 'element'): void {
    const { length } = this.#parts
    if (this.#isTooLong) {
      this.#handler.malformed(`longer than ${MAX_RECORD_BYTES} bytes`)
    } else if (length > 0) {
      this.#handler.record(
        length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts),
        kind,
      )
    }
    this.#reset()
  }

  #reset(): void {
    this.#parts = []
    this.#length = 0
    this.#isTooLong = false
    this.#depth = 0
  }
}
