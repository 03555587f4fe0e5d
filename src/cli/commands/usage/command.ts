/** `cognito-m2m usage`: imports AWS records, and reports tokens and cost. */
import { Argument, Command, Option } from 'commander'
import { OptionError } from '../../../core/options/validate.ts'
import { addVariableOptions } from '../../files/flags.ts'
import type { Manual } from '../../terminal/help.ts'
import type { CommandContext, DocumentedCommand } from '../../terminal/terminal.ts'
import type { UsageFlags } from './flags.ts'
import { importRecords } from './import.ts'
import { report } from './report.ts'

type Action = 'import' | 'report'

/** Options of one action alone. */
const OPTIONS: Readonly<Record<Action, readonly (keyof UsageFlags)[]>> = {
  import: ['maxBytes'],
  report: [
    ...(['counted', 'price', 'clients', 'template', 'parameter', 'from', 'to'] as const),
    ...(['by', 'group', 'quota', 'compare', 'csv'] as const),
  ],
}

export function usageCommand({ terminal, exitWith }: CommandContext): DocumentedCommand {
  const command = new Command('usage')
    .description('import AWS records of tokens, and report usage and cost')
    .addArgument(
      new Argument('<action>', 'import: read records; report: print usage').choices([
        'import',
        'report',
      ]),
    )
    .argument('[path...]', 'import: files and folders with records; - is standard input')
    .option('--data <file>', 'file of imported tokens: import extends it, report reads it')
    .option('--max-bytes <number>', 'import: limit after decompression (default: 16000000000)')
    .option('--counted <file>', 'report: tokens that proxies counted, the JSON of usage.days()')
    .option('--price <file>', 'report: price list in JSON; without it, there is no cost')
    .option('--clients <file>', 'report: names, teams and tags of clients in JSON')
    .option('-t, --template <file...>', 'report: templates with the scopes of clients')
    .option('--parameter <NAME=VALUE...>', 'report: value of a parameter of the templates')
    .option('--from <day>', 'report: first day or month, in UTC')
    .option('--to <day>', 'report: last day or month, inclusive')
    .addOption(new Option('--by <day|month>', 'report: length of a period (default: month)'))
    .option(
      '--group <name>',
      'report: client, pool, region, resourceServer, team, total or tag:NAME (default: client)',
    )
    .option('--quota <number>', 'report: quota in requests a second (default: 150)')
    .option('--compare', 'report: compare --data with --counted')
    .option('--csv', 'report: print CSV')
    .option('--json', 'print JSON')
  const variables = addVariableOptions(command)
  command.action(async (action: Action, paths: readonly string[], flags: UsageFlags) => {
    rejectOtherOptions(action, flags)
    if (action === 'import') await importRecords(paths, flags, { terminal, exitWith })
    else await report(paths, flags, variables, terminal)
  })
  return { command, manual: MANUAL }
}

/** An option of the other action would have no effect. */
function rejectOtherOptions(action: Action, flags: UsageFlags): void {
  const other = action === 'import' ? 'report' : 'import'
  const name = OPTIONS[other].find((it) => flags[it] !== undefined)
  if (name === undefined) return
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  throw new OptionError(
    flag,
    `expected an option of ${action}, got one of ${other}. Remove it, or run usage ${other}.`,
  )
}

const MANUAL: Manual = {
  description: [
    'import counts tokens in log files of CloudTrail, in events with one in each line, and in results of CloudWatch Logs Insights (CSV or JSON). Files may be compressed with gzip. It adds the tokens to the file of --data, which it creates. Events that the file has are not counted again. Symbolic links are not followed, and no source address is kept.',
    'report prints tokens and cost by day or month from that file, the forecast of the month, and the busiest second next to the quota. With --counted it adds what proxies served from their cache. With --compare it prints which clients bypass the proxies.',
    'Days are in UTC. Names in the output are shortened; --json and --csv have all of them.',
  ],
  exitStatus: {
    ok: 'completed',
    refused: 'import: completed, but records were malformed; their tokens are missing',
    interrupted: 'interrupted by Ctrl-C; the file of --data is unchanged',
  },
  examples: [
    [
      'Import a trail, and again next month:',
      'cognito-m2m usage import AWSLogs/123456789012/CloudTrail/eu-west-1/2026 --data usage.json',
    ],
    [
      'Print the cost of each team by month:',
      'cognito-m2m usage report --data usage.json --price price.json --clients clients.json --group team',
    ],
    [
      'Print the clients that bypass the proxies:',
      'cognito-m2m usage report --data usage.json --counted counted.json --compare',
    ],
  ],
  seeAlso: [
    ['Imports, their formats and limits:', 'usage-import.md'],
    ['Counting, and cost:', 'usage.md'],
  ],
}
