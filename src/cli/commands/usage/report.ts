/** `cognito-m2m usage report`: prints tokens and cost by period, or a comparison. */

import { type InfraModel, TemplateError } from '../../../contract/infra/index.ts'
import { describeValue, OptionError, omitUndefined } from '../../../core/options/validate.ts'
import {
  type CompareUsageOptions,
  type CreateUsageHistoryOptions,
  compareUsage,
  createUsageHistory,
  forecastUsage,
  toComparisonCsv,
  toHistoryCsv,
  type UsageDay,
  type UsagePrice,
} from '../../../tokens/usage/index.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import { readParameters, type VariableFlag } from '../../files/flags.ts'
import { readModels } from '../../files/models.ts'
import { formatJson } from '../../terminal/format.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { readClients, readCounted, readData, readJson, withFlags } from './files.ts'
import type { UsageFlags } from './flags.ts'
import { formatComparison, formatHistory } from './report-text.ts'

/** Flags of the options of the library. */
const FLAGS: Readonly<Record<string, string>> = {
  from: '--from',
  to: '--to',
  by: '--by',
  group: '--group',
  quota: '--quota',
  price: '--price',
  clients: '--clients',
}
/** Unprintable characters of names, except for line breaks. */
const UNPRINTABLE = /(?![\r\n])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

export async function report(
  paths: readonly string[],
  flags: UsageFlags,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<void> {
  checkFlags(paths, flags)
  const { signal } = terminal
  const data = flags.data === undefined ? undefined : await readData(flags.data, signal)
  const counted = flags.counted === undefined ? undefined : await readCounted(flags.counted, signal)
  const options = await readOptions(flags, variables, terminal)
  const { from, to, by, group, quota, ...common } = options
  const range = omitUndefined({ from, to })
  if (flags.compare === true) {
    const sides = [data?.days, counted] as [readonly UsageDay[], readonly UsageDay[]]
    printComparison(...sides, { ...common, ...range }, flags, terminal)
    return
  }
  const days = mergeDays(data?.days, counted)
  const peaks = data?.peaks ?? []
  const { history, forecast } = withFlags(FLAGS, () => ({
    history: createUsageHistory(days, { ...options, peaks }),
    forecast: forecastUsage(days, common),
  }))
  if (flags.json === true) terminal.out(formatJson({ history, forecast }))
  else if (flags.csv === true) terminal.out(escapeCsv(toHistoryCsv(history)))
  else terminal.out(formatHistory(history, forecast))
}

function checkFlags(paths: readonly string[], flags: UsageFlags): void {
  const { data, counted, compare, json, csv } = flags
  if (paths.length > 0) {
    throw new OptionError(
      'path',
      `expected no path, got ${describeValue(paths[0])}. Import it, then pass --data.`,
    )
  }
  if (json === true && csv === true) {
    throw new OptionError('--csv', 'expected --json or --csv, got both. Remove one.')
  }
  const isMissing =
    compare === true ? data === undefined || counted === undefined : data === counted
  if (!isMissing) return
  throw compare === true
    ? new OptionError('--compare', 'expected --data and --counted, got less. Pass both files.')
    : new OptionError('--data', 'expected --data or --counted, got none. Pass a file with tokens.')
}

/** With both sides, the billed tokens and the cached ones. One side is always present. */
function mergeDays(
  billed: readonly UsageDay[] | undefined,
  counted: readonly UsageDay[] | undefined,
): readonly UsageDay[] {
  if (billed === undefined) return counted as readonly UsageDay[]
  if (counted === undefined) return billed
  return compareUsage(billed, counted).days
}

async function readOptions(
  flags: UsageFlags,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<CreateUsageHistoryOptions> {
  const { price, clients, template, from, to, by, group, quota } = flags
  const { signal, now } = terminal
  return omitUndefined<CreateUsageHistoryOptions>({
    now,
    price:
      price === undefined ? undefined : ((await readJson(price, '--price', signal)) as UsagePrice),
    clients: clients === undefined ? undefined : await readClients(clients, signal),
    templates: template && (await readTemplates(template, flags, variables, terminal)),
    from,
    to,
    by: by as 'day',
    group: group as 'team',
    quota: quota === undefined ? undefined : Number(quota),
  })
}

async function readTemplates(
  template: readonly string[],
  { parameter = [] }: UsageFlags,
  variables: readonly VariableFlag[],
  { signal, err }: Terminal,
): Promise<readonly InfraModel[]> {
  try {
    const parameters = readParameters(parameter)
    return await readModels(template, {
      option: '--template',
      parameters,
      requiredNames: Object.keys(parameters),
      variables,
      signal,
      onWarning: (warning) => err(`cognito-m2m: warning: ${warning}\n`),
    })
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandFailure(EXIT.usage, error.message)
    throw error
  }
}

function printComparison(
  billed: readonly UsageDay[],
  counted: readonly UsageDay[],
  options: CompareUsageOptions,
  { json, csv }: UsageFlags,
  terminal: Terminal,
): void {
  const comparison = withFlags(FLAGS, () => compareUsage(billed, counted, options))
  const { days: _, ...printed } = comparison
  if (json === true) terminal.out(formatJson(printed))
  else if (csv === true) terminal.out(escapeCsv(toComparisonCsv(comparison)))
  else terminal.out(formatComparison(comparison))
}

/** CSV has no escapes, and a terminal must not see control characters of a name. */
function escapeCsv(csv: string): string {
  return csv.replace(UNPRINTABLE, (mark) => `\\u{${(mark.codePointAt(0) as number).toString(16)}}`)
}
