/** `cognito-m2m check`: compares the scopes of templates, code and API documents. */
import { Command } from 'commander'
import { type Finding, TemplateError } from '../../../contract/infra/index.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import {
  addVariableOptions,
  collectValues,
  DEFAULT_TIMEOUT,
  quoteFile,
  type VariableFlag,
} from '../../files/flags.ts'
import { readText } from '../../files/read.ts'
import { writeFiles } from '../../files/write.ts'
import { countFindings } from '../../terminal/format.ts'
import type { Manual } from '../../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../../terminal/terminal.ts'
import { compareWithBaseline, formatBaseline, readBaseline } from './baseline.ts'
import { applyFixes } from './fix/apply.ts'
import {
  type CheckReport,
  createStrictFindings,
  printReport,
  printSummary,
  readFormat,
} from './report.ts'
import { checkTemplates, measureCoverage, readInputs } from './run.ts'
import { applySeverities, type CheckFlags, findConfig, resolveSettings } from './settings.ts'

export function checkCommand({ terminal, exitWith }: CommandContext): DocumentedCommand {
  const command = new Command('check')
    .description('find where templates, code and API documents disagree about scopes')
    .argument(
      '[template...]',
      'all templates of a deployment: files, folders of templates, or Terraform modules',
    )
    .option('--app <module>', 'compare with the routes of an app; this runs the module')
    .option('--no-app', 'run no module, even if the configuration names one')
    .option('--routes <file>', 'compare with a routes file of the command export')
    .option('--openapi <file>', 'compare with an OpenAPI document, JSON or YAML')
    .option(
      '--parameter <name=value>',
      "value of a template's parameter or variable; repeatable",
      collectValues,
    )
  const variables = addVariableOptions(command)
  command
    .option('--proxy-ttl <seconds>', 'how long a caching proxy stores tokens')
    .option('--timeout <seconds>', 'time limit of the module of --app', DEFAULT_TIMEOUT)
    .option('--strict', 'report an error for each fact that cannot be evaluated')
    .option('--config <file>', 'configuration; else cognito-m2m.config.json, if it exists')
    .option('--baseline <file>', 'do not report the findings in this file')
    .option('--update-baseline', 'write the present findings to the file of --baseline')
    .option('--fix', 'print a diff that corrects misspelled scopes and missing DependsOn')
    .option('--write', 'with --fix, change the files instead')
    .option('--format <text|json|sarif|github|junit>', 'output format of findings', 'text')
    .option('--json', 'the same as --format json')
    .action(async (templates: readonly string[], flags: CheckFlags) => {
      const format = readFormat(flags)
      const report = await createReport(templates, flags, variables, terminal)
      if (report === undefined) return
      if (flags.fix && !flags.write) printSummary(report, terminal)
      else printReport(report, format, terminal)
      if (countFindings(report.findings).errors > 0) exitWith(EXIT.refused)
    })
  return { command, manual: MANUAL }
}

const MANUAL: Manual = {
  description: [
    'Reads templates offline and reports what would fail at deployment or reject callers. Examples are undefined scopes, grants of scopes that do not exist, clients that cannot get a token, and routes that only one source protects. Nothing in a template is executed.',
    'Each finding is a line on standard output: file:line:column: severity code message; fix: text.',
    '--app runs the module in a child process and stops it after --timeout. The child has this environment, no keys of a pool, and its servers on free ports of loopback. --routes reads a file instead, and runs no code.',
    'A summary on standard error counts what was evaluated, and lists each fact that only the deployment determines. --strict makes each of them an error, except those that the configuration lists with a reason.',
    'cognito-m2m.config.json in the working directory has the templates and options of a repository. Arguments and options of the command line have precedence.',
  ],
  exitStatus: {
    ok: 'no errors were found; there may be warnings',
    refused: 'errors were found',
    usage: 'invalid usage: an option, a template or the module cannot be read',
    interrupted: 'interrupted by Ctrl-C',
  },
  examples: [
    ['One template:', 'cognito-m2m check template.yaml'],
    ['A Terraform module and its app:', 'cognito-m2m check infra/ --app dist/app.js'],
    [
      'Two stacks that are deployed together, in CI:',
      'cognito-m2m check auth.yaml api.yaml --routes routes.json --format github',
    ],
    ['Correct misspelled scopes:', 'cognito-m2m check template.yaml --fix --write'],
    [
      'Accept the present findings of a repository:',
      'cognito-m2m check template.yaml --baseline cognito-m2m.baseline.json --update-baseline',
    ],
  ],
  seeAlso: [
    ['Every code, with a failing and a fixed example:', 'check-codes.md'],
    ['Templates, routes and documents that can be compared:', 'check.md'],
  ],
}

/** @returns Undefined if the findings were written to the baseline instead. */
async function createReport(
  templates: readonly string[],
  flags: CheckFlags,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<CheckReport | undefined> {
  try {
    const config = await findConfig(flags.config, terminal.signal)
    const settings = resolveSettings(templates, flags, config)
    const inputs = await readInputs(settings, variables, terminal)
    const first = await checkTemplates(inputs)
    const checked = flags.fix
      ? await applyFixes(first, inputs, flags.write === true, terminal)
      : first
    const coverage = measureCoverage(checked, inputs)
    const strict = flags.strict ? createStrictFindings(coverage, config.exemptions) : []
    const findings = applySeverities([...checked.findings, ...strict], config.severities)
    if (settings.updatesBaseline) {
      writeBaseline(settings.baseline as string, findings, terminal)
      return undefined
    }
    if (settings.baseline === undefined) return { findings, coverage, known: 0 }
    const baseline = await readBaseline(
      await readText(settings.baseline, '--baseline', terminal.signal),
    )
    const { findings: remaining, known } = compareWithBaseline(findings, baseline)
    return { findings: applySeverities(remaining, config.severities), coverage, known }
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandFailure(EXIT.usage, error.message)
    throw error
  }
}

function writeBaseline(file: string, findings: readonly Finding[], terminal: Terminal): void {
  const text = formatBaseline(findings)
  writeFiles([{ file, text }], { force: true, option: '--baseline', signal: terminal.signal })
  const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
  terminal.err(`cognito-m2m: wrote ${count} to ${quoteFile(file)}\n`)
}
