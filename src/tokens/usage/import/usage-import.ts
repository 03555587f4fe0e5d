/** Reads days and imports from JSON, which may have been changed. */
import {
  describeValue,
  type Members,
  OptionError,
  readList,
  readMembers,
} from '../../../core/options/validate.ts'
import { parseDay } from '../history/days.ts'
import type { DaySubject, UsageDay, UsagePeak } from '../history/types.ts'
import { BYTES_PER_ID, MAX_EVENT_IDS } from './event-ids.ts'
import { readName } from './members.ts'
import type { MalformedRecord, SkippedFile, UsageImport, UsageImportSummary } from './types.ts'

const KINDS: readonly DaySubject['kind'][] = ['client', 'other', 'unattributed', 'unverified']
const DAY_MEMBERS = [
  ...['day', 'kind', 'userPoolId', 'clientId', 'issued', 'cached', 'firstUsed', 'lastUsed'],
  'resourceServers',
]
const SUMMARY_COUNTS = [
  ...(['sources', 'bytes', 'records', 'counted', 'countedClientToken', 'countedRows'] as const),
  ...(['duplicates', 'refused', 'unrelated', 'malformed', 'unattributed', 'other'] as const),
  ...(['withoutId', 'skippedFiles'] as const),
] as const
/** The last second of an ECMAScript date. */
const MAX_EPOCH_SECONDS = 8.64e12

/**
 * Reads the JSON text of an import: `JSON.stringify(await importUsage(…))`.
 *
 * @param text JSON.
 * @returns The import, for the option `previous` and for `createUsageHistory`.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the member.
 */
export function parseUsageImport(text: string): UsageImport {
  return readUsageImport(parseText(text), 'text')
}

/**
 * Reads the JSON text of days: `JSON.stringify(await usage.days())`.
 *
 * @param text JSON.
 * @returns The days, for `createUsageHistory` and `compareUsage`.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the member.
 */
export function parseUsageDays(text: string): readonly UsageDay[] {
  return readDays(parseText(text), 'text')
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new OptionError('text', 'expected JSON, got another text. Pass the unchanged file.')
  }
}

export function readUsageImport(value: unknown, optionPath: string): UsageImport {
  const { version, days, peaks, eventIds, summary } = readMembers(
    value,
    ['version', 'days', 'peaks', 'eventIds', 'summary'],
    optionPath,
  )
  if (version !== 1) {
    throw new OptionError(
      `${optionPath}.version`,
      `expected 1, got ${describeValue(version)}. Import the records again.`,
    )
  }
  return {
    version,
    days: readDays(days, `${optionPath}.days`),
    peaks: readArray(peaks, `${optionPath}.peaks`, readPeak),
    eventIds: readEventIds(eventIds, `${optionPath}.eventIds`),
    summary: readSummary(summary, `${optionPath}.summary`),
  }
}

function readEventIds(value: unknown, optionPath: string): string {
  const isBase64 =
    typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z\d+/]*={0,2}$/.test(value)
  const events = isBase64 ? Buffer.byteLength(value, 'base64') / BYTES_PER_ID : Number.NaN
  // The rest of a file that was cut would be events that are counted again.
  if (!isBase64 || !Number.isInteger(events)) {
    throw new OptionError(
      optionPath,
      `expected base64 with ${BYTES_PER_ID} bytes for each event, got ${describeValue(value)}. Pass the unchanged file.`,
    )
  }
  if (events <= MAX_EVENT_IDS) return value
  throw new OptionError(
    optionPath,
    `expected at most ${MAX_EVENT_IDS} events, got ${events}. Pass the unchanged file.`,
  )
}

function readSummary(value: unknown, optionPath: string): UsageImportSummary {
  const members = readMembers(value, [...SUMMARY_COUNTS, 'firstMalformed', 'skipped'], optionPath)
  const read = createReader(members, optionPath)
  const counts = Object.fromEntries(SUMMARY_COUNTS.map((name) => [name, read.count(name)]))
  return {
    ...(counts as Record<(typeof SUMMARY_COUNTS)[number], number>),
    firstMalformed: readArray(
      members['firstMalformed'],
      `${optionPath}.firstMalformed`,
      readMalformed,
    ),
    skipped: readArray(members['skipped'], `${optionPath}.skipped`, readSkipped),
  }
}

function readMalformed(value: unknown, optionPath: string): MalformedRecord {
  const members = readMembers(value, ['source', 'position', 'reason'], optionPath)
  const read = createReader(members, optionPath)
  return {
    source: read.text('source'),
    position: read.count('position'),
    reason: read.text('reason'),
  }
}

function readSkipped(value: unknown, optionPath: string): SkippedFile {
  const read = createReader(readMembers(value, ['path', 'reason'], optionPath), optionPath)
  return { path: read.text('path'), reason: read.text('reason') }
}

function readDays(value: unknown, optionPath: string): readonly UsageDay[] {
  return readArray(value, optionPath, readDay)
}

function readArray<Item>(
  value: unknown,
  optionPath: string,
  read: (item: unknown, at: string) => Item,
): readonly Item[] {
  const items = readList(value, optionPath, read)
  if (items !== undefined) return items
  throw new OptionError(
    optionPath,
    `expected an array, got ${describeValue(value)}. Pass the unchanged file.`,
  )
}

function readDay(value: unknown, optionPath: string): UsageDay {
  const members = readMembers(value, DAY_MEMBERS, optionPath)
  const read = createReader(members, optionPath)
  const kind = KINDS.find((it) => it === members['kind'])
  if (kind === undefined) read.fail('kind', KINDS.join(', '))
  const { resourceServers } = members
  return {
    day: read.day(),
    kind: kind as DaySubject['kind'],
    userPoolId: read.name('userPoolId'),
    clientId: read.name('clientId'),
    issued: read.count('issued'),
    cached: read.count('cached'),
    firstUsed: read.time('firstUsed'),
    lastUsed: read.time('lastUsed'),
    ...(resourceServers !== undefined && {
      resourceServers: readArray(resourceServers, `${optionPath}.resourceServers`, (it, at) => {
        const name = readName(it)
        if (name !== undefined) return name
        throw new OptionError(
          at,
          `expected a text, got ${describeValue(it)}. Pass the unchanged file.`,
        )
      }),
    }),
  }
}

function readPeak(value: unknown, optionPath: string): UsagePeak {
  const members = readMembers(value, ['day', 'region', 'requests', 'at'], optionPath)
  const read = createReader(members, optionPath)
  const region = read.name('region')
  if (region === null) read.fail('region', 'a Region')
  return {
    day: read.day(),
    region: region as string,
    requests: read.count('requests'),
    at: read.seconds('at'),
  }
}

function createReader(members: Members, optionPath: string) {
  const fail = (name: string, expected: string): never => {
    throw new OptionError(
      `${optionPath}.${name}`,
      `expected ${expected}, got ${describeValue(members[name])}. Pass the unchanged file.`,
    )
  }
  const whole = (name: string, max: number, expected: string): number => {
    const value = members[name]
    const isWhole =
      Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max
    return isWhole ? (value as number) : fail(name, expected)
  }
  return {
    fail,
    day(): string {
      const { day } = members
      if (typeof day === 'string' && parseDay(day) !== undefined) return day
      return fail('day', 'a day as YYYY-MM-DD')
    },
    count: (name: string): number => whole(name, 1e15, 'a whole number from 0 to 10^15'),
    seconds: (name: string): number => whole(name, MAX_EPOCH_SECONDS, 'epoch seconds'),
    time: (name: string): number | null =>
      members[name] === null ? null : whole(name, MAX_EPOCH_SECONDS, 'epoch seconds or null'),
    text(name: string): string {
      const value = members[name]
      return typeof value === 'string' ? value : fail(name, 'a text')
    },
    name(name: string): string | null {
      const value = members[name]
      if (value === null) return null
      return readName(value) ?? fail(name, 'a text of 1 to 256 characters or null')
    },
  }
}
