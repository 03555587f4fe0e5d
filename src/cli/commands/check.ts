/** `cognito-m2m check`: compares the scopes of templates, code and API documents. */
import { Command } from 'commander'
import {
  type AppRoute,
  type CheckScopesOptions,
  checkScopes,
  readOpenApi,
  readRoutes,
  readTemplate,
  TemplateError,
} from '../../contract/infra/index.ts'
import { describeValue, OptionError, omitUndefined } from '../../core/options/validate.ts'
import { readAppModule } from '../app-loader/process.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import {
  collectValues,
  DEFAULT_TIMEOUT,
  formatRunNotice,
  readParameters,
  readSeconds,
} from '../files/flags.ts'
import { groupTemplates, readText } from '../files/read.ts'
import {
  countFindings,
  createStyle,
  formatCounts,
  formatFinding,
  formatJson,
} from '../terminal/format.ts'
import type { Manual } from '../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../terminal/terminal.ts'

interface CheckFlags {
  readonly app?: string
  readonly routes?: string
  readonly openapi?: string
  readonly parameter?: readonly string[]
  readonly proxyTtl?: string
  readonly timeout: string
  readonly format: string
  readonly json?: true
}

export function checkCommand({ terminal, exitWith }: CommandContext): DocumentedCommand {
  const command = new Command('check')
    .description('find where templates, code and API documents disagree about scopes')
    .argument(
      '<template...>',
      'all templates of a deployment: files, or the folder of a Terraform module',
    )
    .option('--app <module>', 'compare with the routes of an app; this runs the module')
    .option('--routes <file>', 'compare with a routes file of the command export')
    .option('--openapi <file>', 'compare with an OpenAPI document, JSON or YAML')
    .option(
      '--parameter <name=value>',
      "value of a template's parameter or variable; repeatable",
      collectValues,
    )
    .option('--proxy-ttl <seconds>', 'how long a caching proxy stores tokens')
    .option('--timeout <seconds>', 'time limit of the module of --app', DEFAULT_TIMEOUT)
    .option('--format <text|json>', 'output format of findings', 'text')
    .option('--json', 'the same as --format json')
    .action(async (templates: readonly string[], flags: CheckFlags) => {
      const isJson = isJsonFormat(flags)
      const findings = await findProblems(templates, flags, terminal)
      const counts = countFindings(findings)
      if (isJson) terminal.out(formatJson({ findings, ...counts }))
      else {
        const style = createStyle(terminal)
        for (const finding of findings) terminal.out(formatFinding(finding, style))
        terminal.err(`${formatCounts(counts)}\n`)
      }
      if (counts.errors > 0) exitWith(EXIT.refused)
    })
  return { command, manual: MANUAL }
}

const MANUAL: Manual = {
  description: [
    'Reads templates offline and reports what would fail at deployment or reject callers. Examples are undefined scopes, grants of scopes that do not exist, clients that cannot get a token, and routes that only one source protects. Nothing in a template is executed.',
    'Each finding is a line on standard output: file:line:column: severity code message; fix: text.',
    '--app runs the module in a child process and stops it after --timeout. The child has this environment, no keys of a pool, and its servers on free ports of loopback. --routes reads a file instead, and runs no code.',
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
      'cognito-m2m check auth.yaml api.yaml --routes routes.json --format json',
    ],
  ],
  seeAlso: [
    ['Every code, with a failing and a fixed example:', 'check-codes.md'],
    ['Templates, routes and documents that can be compared:', 'check.md'],
  ],
}

async function findProblems(templates: readonly string[], flags: CheckFlags, terminal: Terminal) {
  const { app, routes: routesFile, openapi: document, proxyTtl } = flags
  if (app !== undefined && routesFile !== undefined) {
    throw new OptionError('--routes', 'expected --routes or --app, got both. Pass one of them.')
  }
  const ttl = proxyTtl === undefined ? undefined : readSeconds(proxyTtl, '--proxy-ttl', 86_400)
  const timeout = readSeconds(flags.timeout, '--timeout', 600)
  const parameters = readParameters(flags.parameter ?? [])
  try {
    const groups = groupTemplates(templates)
    const models = await Promise.all(groups.map((group) => readTemplate(group, { parameters })))
    const openapi =
      document === undefined ? undefined : await readOpenApi(readText(document, '--openapi'))
    let routes: readonly AppRoute[] | undefined
    if (routesFile !== undefined) routes = await readRoutes(readText(routesFile, '--routes'))
    if (app !== undefined) {
      terminal.err(formatRunNotice(app, timeout))
      const options = { option: '--app', timeout, signal: terminal.signal }
      ;({ routes } = await readAppModule(app, options))
    }
    const options = omitUndefined<CheckScopesOptions>({ routes, openapi, proxyTtl: ttl })
    return checkScopes(models, options)
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandFailure(EXIT.usage, error.message)
    throw error
  }
}

function isJsonFormat({ format, json }: CheckFlags): boolean {
  if (format === 'text' || format === 'json') return json === true || format === 'json'
  throw new OptionError(
    '--format',
    `expected text or json, got ${describeValue(format)}. Pass one of the two.`,
  )
}
