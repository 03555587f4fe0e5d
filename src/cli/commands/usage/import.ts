/** `cognito-m2m usage import`: adds the tokens of AWS records to a file. */
import { statSync } from 'node:fs'
import { describeValue, OptionError, omitUndefined } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import {
  importUsage,
  type UsageImport,
  type UsageImportStream,
  type UsageImportSummary,
} from '../../../tokens/usage/index.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import { statIfExists } from '../../files/flags.ts'
import { openStream } from '../../files/read.ts'
import { writeFiles } from '../../files/write.ts'
import { formatJson } from '../../terminal/format.ts'
import type { CommandContext, Terminal } from '../../terminal/terminal.ts'
import { readData, toFlagError } from './files.ts'
import type { UsageFlags } from './flags.ts'
import { formatCount } from './table.ts'

/** Longest path in a message. */
const MAX_PATH_LENGTH = 400

export async function importRecords(
  paths: readonly string[],
  { data, maxBytes, json }: UsageFlags,
  { terminal, exitWith }: Pick<CommandContext, 'terminal' | 'exitWith'>,
): Promise<void> {
  if (data === undefined) {
    throw new OptionError(
      '--data',
      'expected a file for the imported tokens, got none. Pass for example usage.json.',
    )
  }
  const { signal } = terminal
  const previous = statIfExists(data) === undefined ? undefined : await readData(data, signal)
  const sources = listSources(paths, terminal)
  const limit = maxBytes === undefined ? undefined : readBytes(maxBytes)
  const result = await runImport(sources, { previous, maxBytes: limit }, terminal)
  writeFiles([{ file: data, text: `${JSON.stringify(result)}\n` }], {
    force: true,
    option: '--data',
    signal,
  })
  const { summary } = result
  reportProblems(summary, terminal)
  terminal.out(json === true ? formatJson({ data, ...summary }) : formatSummary(summary, data))
  if (summary.malformed > 0) exitWith(EXIT.refused)
}

async function runImport(
  sources: readonly (string | UsageImportStream)[],
  options: { readonly previous: UsageImport | undefined; readonly maxBytes: number | undefined },
  { signal }: Terminal,
): Promise<UsageImport> {
  const { previous, maxBytes } = options
  try {
    return await importUsage(sources, omitUndefined({ signal, previous, maxBytes }))
  } catch (error) {
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    throw toFlagError({ sources: 'path', maxBytes: '--max-bytes' }, error)
  }
}

/** Standard input is `-`, or used without a path. Pipes of the shell, such as `<(…)`, are streams too. */
function listSources(
  paths: readonly string[],
  terminal: Terminal,
): readonly (string | UsageImportStream)[] {
  const names = paths.length === 0 ? ['-'] : paths
  return names.map((path) => {
    if (path === '-') {
      const stream = terminal.stdin()
      if (stream !== undefined) return { name: 'standard input', stream }
      throw new OptionError(
        'path',
        'expected files, folders or piped input, got none. Pass for example a folder of log files.',
      )
    }
    const isPipe = statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
    return isPipe ? { name: path, stream: openStream(path) } : path
  })
}

function readBytes(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text)
  throw new OptionError(
    '--max-bytes',
    `expected a whole number of bytes from 1 to 999999999999, got ${describeValue(text)}. Pass a number in this range.`,
  )
}

function reportProblems(summary: UsageImportSummary, { err }: Terminal): void {
  const { malformed, firstMalformed, skipped, skippedFiles } = summary
  for (const { path, reason } of skipped) {
    err(`cognito-m2m: skipped ${toPrintable(path, MAX_PATH_LENGTH)}: ${reason}\n`)
  }
  if (skippedFiles > skipped.length) {
    err(`cognito-m2m: skipped more files: ${formatCount(skippedFiles - skipped.length)}\n`)
  }
  for (const { source, position, reason } of firstMalformed) {
    err(`cognito-m2m: ${toPrintable(source, MAX_PATH_LENGTH)}:${position}: ${reason}\n`)
  }
  if (malformed === 0) return
  err(
    `cognito-m2m: malformed records: ${formatCount(malformed)}. Their tokens are missing. Get these files again.\n`,
  )
}

/** Counts of the summary, in the order of the output. */
const LINES: readonly (readonly [keyof UsageImportSummary, string])[] = [
  ['counted', 'tokens of /oauth2/token'],
  ['countedClientToken', 'tokens of GetClientToken; the shape of its events is not documented'],
  ['countedRows', 'rows of Logs Insights'],
  ['unattributed', 'of these without a client'],
  ['other', 'of these of clients beyond the limit'],
  ['withoutId', 'without an event id: duplicates are not detected'],
  ['duplicates', 'duplicates'],
  ['refused', 'rejected token requests'],
  ['unrelated', 'other events'],
  ['malformed', 'malformed'],
  ['skippedFiles', 'skipped files'],
]

function formatSummary(summary: UsageImportSummary, data: string): string {
  const lines = LINES.filter(([name]) => summary[name] !== 0 || name === 'counted').map(
    ([name, text]) => `${formatCount(summary[name] as number).padStart(15)}  ${text}\n`,
  )
  const { sources, records } = summary
  const what = `sources: ${formatCount(sources)}, records: ${formatCount(records)}`
  return `${what}, added to ${toPrintable(data, MAX_PATH_LENGTH)}:\n${lines.join('')}`
}
