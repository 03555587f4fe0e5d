/** Adds up the tokens of AWS records by day and client, in bounded memory. */

import { getRegion } from '../../../core/options/partitions.ts'
import { OptionError } from '../../../core/options/validate.ts'
import { formatDay, parseDay, pickTime, SECONDS_PER_DAY } from '../history/days.ts'
import type { DaySubject, UsageDay } from '../history/types.ts'
import type { ReadEvent, TokenRequest } from './cloudtrail.ts'
import { EventIdSet } from './event-ids.ts'
import type { InsightsRow } from './insights.ts'
import { PeakRates } from './peaks.ts'
import type { UsageImport, UsageImportSummary } from './types.ts'

/** Cells of a client, day and list of resource servers, about 60 MB. Further clients count as `other`. */
const MAX_CELLS = 300_000

interface Cell {
  issued: number
  firstUsed: number | null
  lastUsed: number | null
}

type Counts = {
  -readonly [Name in keyof UsageImportSummary as UsageImportSummary[Name] extends number
    ? Name
    : never]: number
}

type Subject = DaySubject & Pick<UsageDay, 'resourceServers'>

/** Options of {@link UsageCollector}. */
interface CollectorOptions {
  readonly maxClients: number
  readonly previous: UsageImport | undefined
  /**
   * Limit of cells and of remembered events, for tests.
   *
   * @defaultValue 300,000 and 5,000,000
   */
  readonly maxCells?: number
  readonly maxIds?: number
}

export class UsageCollector {
  readonly counts: Omit<Counts, 'sources' | 'bytes' | 'malformed' | 'skippedFiles'> = {
    records: 0,
    counted: 0,
    countedClientToken: 0,
    countedRows: 0,
    duplicates: 0,
    refused: 0,
    unrelated: 0,
    unattributed: 0,
    other: 0,
    withoutId: 0,
  }
  readonly #maxClients: number
  readonly #maxCells: number
  readonly #ids: EventIdSet
  readonly #peaks = new PeakRates()
  /** By day, then by subject. */
  readonly #days = new Map<number, Map<string, Cell>>()
  readonly #clients = new Set<string>()
  #size = 0

  constructor({ maxClients, previous, maxCells = MAX_CELLS, maxIds }: CollectorOptions) {
    this.#ids = new EventIdSet(maxIds)
    this.#maxClients = maxClients
    this.#maxCells = maxCells
    if (previous === undefined) return
    this.#ids.load(previous.eventIds)
    for (const peak of previous.peaks) this.#peaks.merge(peak)
    for (const day of previous.days) {
      const { kind, userPoolId, clientId, resourceServers, issued, firstUsed, lastUsed } = day
      const index = parseDay(day.day) as number
      const subject = { kind, userPoolId, clientId, ...(resourceServers && { resourceServers }) }
      this.#add(index, subject, { issued, firstUsed, lastUsed })
    }
  }

  /** @throws {OptionError} if no further event can be remembered: duplicates would be counted. */
  addEvent(event: Exclude<ReadEvent, { readonly kind: 'malformed' }> | InsightsRow): void {
    this.counts.records += 1
    if (event.kind === 'unrelated') this.counts.unrelated += 1
    else if (event.kind === 'row') this.#addRow(event)
    else this.#addRequest(event)
  }

  /** Days by date, then by tokens. Peaks by day and Region. */
  finish(): Pick<UsageImport, 'days' | 'peaks' | 'eventIds'> {
    const days = [...this.#days]
      .sort(([left], [right]) => left - right)
      .flatMap(([index, cells]) => listDays(index, cells))
    return { days, peaks: this.#peaks.list(), eventIds: this.#ids.encode() }
  }

  #addRequest(request: TokenRequest): void {
    const { eventId, isIssued, api, at, userPoolId, clientId, resourceServers } = request
    if (eventId === undefined) this.counts.withoutId += 1
    else if (!this.#isNew(eventId)) return
    const region = request.region ?? getRegion(userPoolId ?? '')
    if (region !== undefined) this.#peaks.add(region, at)
    if (!isIssued) {
      this.counts.refused += 1
      return
    }
    if (api === 'oauth2') this.counts.counted += 1
    else this.counts.countedClientToken += 1
    this.#count({ userPoolId, clientId, resourceServers }, at, {
      issued: 1,
      firstUsed: at,
      lastUsed: at,
    })
  }

  #addRow({ userPoolId, clientId, count, lastUsed, at }: InsightsRow): void {
    // A row has no id. A result that is imported twice has equal rows.
    const row = JSON.stringify(['row', userPoolId, clientId, count, lastUsed, at])
    if (!this.#isNew(row)) return
    this.counts.countedRows += 1
    this.#count({ userPoolId, clientId, resourceServers: undefined }, at, {
      issued: count,
      firstUsed: null,
      lastUsed,
    })
  }

  #isNew(id: string): boolean {
    const isNew = this.#ids.add(id)
    if (!isNew) this.counts.duplicates += 1
    if (!this.#ids.isOverfull) return isNew
    throw new OptionError(
      'sources',
      `expected at most ${this.#ids.maxSize} token requests, got more. Import each month separately.`,
    )
  }

  #count(
    client: Pick<TokenRequest, 'userPoolId' | 'clientId' | 'resourceServers'>,
    at: number,
    cell: Cell,
  ): void {
    const { userPoolId, clientId, resourceServers } = client
    if (clientId === null) this.counts.unattributed += 1
    const subject: Subject = {
      kind: clientId === null ? 'unattributed' : 'client',
      userPoolId,
      clientId,
      ...(resourceServers && { resourceServers }),
    }
    const kind = this.#add(Math.floor(at / SECONDS_PER_DAY), subject, cell)
    if (kind === 'other') this.counts.other += 1
  }

  /** @returns The kind of the subject that it was added to. */
  #add(day: number, subject: Subject, { issued, firstUsed, lastUsed }: Cell): DaySubject['kind'] {
    const cells = this.#days.get(day) ?? new Map<string, Cell>()
    this.#days.set(day, cells)
    const key = toKey(subject)
    const target = cells.has(key) || this.#hasRoom(subject) ? key : OTHER
    const cell = cells.get(target)
    if (cell === undefined) {
      cells.set(target, { issued, firstUsed, lastUsed })
      this.#size += 1
    } else {
      cell.issued += issued
      cell.firstUsed = pickTime(Math.min, cell.firstUsed, firstUsed)
      cell.lastUsed = pickTime(Math.max, cell.lastUsed, lastUsed)
    }
    return target === OTHER ? 'other' : subject.kind
  }

  #hasRoom({ kind, userPoolId, clientId }: Subject): boolean {
    if (this.#size >= this.#maxCells) return false
    const client = JSON.stringify([kind, userPoolId, clientId])
    if (this.#clients.has(client)) return true
    if (this.#clients.size >= this.#maxClients) return false
    this.#clients.add(client)
    return true
  }
}

const toKey = ({ kind, userPoolId, clientId, resourceServers }: Subject): string =>
  JSON.stringify([kind, userPoolId, clientId, resourceServers ?? null])

const OTHER = toKey({ kind: 'other', userPoolId: null, clientId: null })

function listDays(index: number, cells: ReadonlyMap<string, Cell>): readonly UsageDay[] {
  const day = formatDay(index)
  return [...cells]
    .sort(([a, left], [b, right]) => right.issued - left.issued || Number(a > b) - Number(a < b))
    .map(([key, { issued, firstUsed, lastUsed }]) => {
      const [kind, userPoolId, clientId, resourceServers] = JSON.parse(key) as [
        DaySubject['kind'],
        string | null,
        string | null,
        string[] | null,
      ]
      return {
        day,
        kind,
        userPoolId,
        clientId,
        issued,
        cached: 0,
        firstUsed,
        lastUsed,
        ...(resourceServers !== null && { resourceServers }),
      }
    })
}
