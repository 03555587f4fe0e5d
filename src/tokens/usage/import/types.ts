/** Public types of imports from AWS records. */
import type { Readable } from 'node:stream'
import type { UsageDay, UsagePeak } from '../history/types.ts'

/** A stream of records, for example standard input or an object of S3. */
export interface UsageImportStream {
  /** Name in the summary. */
  readonly name: string
  /** Bytes, compressed with gzip or not. It is read to its end, and destroyed after an error. */
  readonly stream: Readable
}

/** Options of `importUsage`. */
export interface ImportUsageOptions {
  /**
   * Earlier result. Its days are added, and events that it counted are not counted again.
   *
   * @defaultValue No earlier result
   */
  readonly previous?: UsageImport
  /**
   * Bytes of all sources together, after decompression, from 1 to 10^12.
   *
   * @defaultValue `16_000_000_000`
   */
  readonly maxBytes?: number
  /**
   * App clients with a separate row, from 1 to 10,000. Further clients are counted as `other`.
   *
   * @defaultValue `10_000`
   */
  readonly maxClients?: number
  /**
   * Ends the import early.
   *
   * @defaultValue No signal
   */
  readonly signal?: AbortSignal
}

/** A record or line that was not understood. */
export interface MalformedRecord {
  /** Name of the source. Escape it for display. */
  readonly source: string
  /** Number of the line or record in the source, from 1. */
  readonly position: number
  readonly reason: string
}

/** A file that was not read. */
export interface SkippedFile {
  /** Escape it for display. */
  readonly path: string
  readonly reason: string
}

/** What an import read. Every record is in exactly one of the counts after `records`. */
export interface UsageImportSummary {
  /** Sources that were read. */
  readonly sources: number
  /** Bytes after decompression. */
  readonly bytes: number
  /** Events, rows and malformed records. */
  readonly records: number
  /** Counted events of `/oauth2/token`: client credentials with status 200. */
  readonly counted: number
  /** Counted events of GetClientToken. The shape of these events is not documented. */
  readonly countedClientToken: number
  /** Counted rows of CloudWatch Logs Insights. A row stands for several tokens. */
  readonly countedRows: number
  /** Events and rows that were counted before, in this import or an earlier one. */
  readonly duplicates: number
  /** Token requests of client credentials with another status: these are not billed. */
  readonly refused: number
  /** Token requests of users, and events that are no token requests. */
  readonly unrelated: number
  /** Records and lines that were not understood. Their tokens are missing. */
  readonly malformed: number
  /** The first malformed records, at most 10. */
  readonly firstMalformed: readonly MalformedRecord[]
  /** Counted events that name no client. */
  readonly unattributed: number
  /** Counted events of clients beyond `maxClients`. */
  readonly other: number
  /** Counted events without an `eventID`: duplicates among them are not detected. */
  readonly withoutId: number
  /** Symbolic links, pipes and other files that were not read. The first 100. */
  readonly skipped: readonly SkippedFile[]
  /** Number of all skipped files. */
  readonly skippedFiles: number
}

/** Tokens from AWS records. `JSON.stringify` writes it, and `parseUsageImport` reads it. It has no source addresses. */
export interface UsageImport {
  /** Version of the format. */
  readonly version: 1
  /** Tokens by day and client, for `createUsageHistory`. */
  readonly days: readonly UsageDay[]
  /** Request rates, for the option `peaks` of `createUsageHistory`. */
  readonly peaks: readonly UsagePeak[]
  /** Hashes of the counted events in base64, 8 bytes each. An import with `previous` does not count them again. */
  readonly eventIds: string
  /** The last import alone. */
  readonly summary: UsageImportSummary
}
