/** `cognito-m2m export`: the scopes of an app, as a routes file, an OpenAPI document or templates. */
import { Command } from 'commander'
import type { Position, TemplateSource } from '../../contract/infra/index.ts'
import { OptionError } from '../../core/options/validate.ts'
import { printable } from '../../core/util/text.ts'
import type { Inspection } from '../app-loader/inspection.ts'
import { readAppModule } from '../app-loader/process.ts'
import type { CommandContext } from '../context.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { readSeconds, repeated, runningNotice, TIMEOUT } from '../files/flags.ts'
import { inPlace, writeFiles } from '../files/write.ts'
import { jsonLine } from '../terminal/json.ts'
import { type Manual, manual } from '../terminal/manual.ts'
import { checkFormat, type ExportFlags, exportedFiles, FORMATS } from './export-files.ts'

interface Flags extends ExportFlags {
  readonly scopes?: string
  readonly out?: string
  readonly force?: true
  readonly timeout: string
  readonly json?: true
}

export function exportCommand({ terminal }: CommandContext): Command {
  const command = new Command('export')
    .description('write the scopes of an app as a routes file, an OpenAPI document or templates')
    .argument('<module>', 'what makes the app: JavaScript, or what Node is told to load; it runs')
    .option(`--to <${FORMATS.join('|')}>`, 'what is written', 'routes')
    .option('--scopes <module>', 'a module that exports what defineScopes gave; it runs as well')
    .option('--name <name>', 'what templates call the user pool, and documents the API', 'api')
    .option('--domain <prefix>', "templates: the prefix of the pool's domain")
    .option(
      '--client <name=scope,scope>',
      'templates: a client and its scopes, every scope where none is named; repeatable',
      repeated,
    )
    .option('--api <rest|http>', 'templates: an API in front of the routes (sam: rest)')
    .option('--token-url <url>', 'openapi: where tokens come from')
    .option('--out <path>', 'a file, or a folder for several; default: standard output')
    .option('--force', 'replace files that exist')
    .option('--timeout <seconds>', 'how long the module may take', TIMEOUT)
    .option('--json', 'print one line of JSON')
    .action(async (module: string, flags: Flags) => {
      checkFormat(flags)
      const timeout = readSeconds(flags.timeout, '--timeout', 600)
      terminal.err(runningNotice(module, timeout))
      const { signal } = terminal
      const { scopes, out, force = false, json = false } = flags
      const app = await readAppModule(module, {
        ...{ option: 'MODULE', timeout, signal },
        ...(scopes === undefined ? {} : { scopes }),
      })
      refuseUnprotected(app)
      const files = exportedFiles(app, flags)
      if (out === undefined) terminal.out(json ? jsonLine({ files }) : textOf(files))
      else {
        const placed = inPlace(files, out)
        writeFiles(placed, { force, signal })
        const names = placed.map(({ file }) => file)
        if (json) terminal.out(jsonLine({ files: names.map((file) => ({ file })) }))
        else terminal.err(`wrote ${names.map((name) => printable(name, 500)).join(', ')}\n`)
      }
    })
  return manual(command, MANUAL)
}

const MANUAL: Manual = {
  description: [
    'Runs the module in a process of its own, which is stopped after --timeout, with this environment, without keys of a pool, and with its servers on free ports of loopback; reads what each route of its app needs; and writes that down.',
    'A routes file is what check --routes reads without running anything. Scopes are described where the module, or the one of --scopes, exports what defineScopes gave; others by their own names.',
    'Files are written as a whole or not at all.',
  ],
  exitStatus: {
    usage:
      'nothing was written: an option or the module is not what it should be, or a file exists',
    interrupted: 'interrupted by Ctrl-C: nothing was written',
  },
  examples: [
    ['The routes, for check in CI:', 'cognito-m2m export dist/app.js --out routes.json'],
    [
      'A pair of SAM templates with two clients:',
      'cognito-m2m export dist/app.js --to sam --name orders --client shop=orders/write --client audit --out infra',
    ],
    [
      'An OpenAPI document:',
      'cognito-m2m export dist/app.js --to openapi --token-url https://orders.auth.eu-west-1.amazoncognito.com/oauth2/token',
    ],
  ],
}

/** What is written down must be what the app enforces. */
function refuseUnprotected({ routes }: Inspection): void {
  const route = routes.find(({ unprotected }) => unprotected === true)
  if (route === undefined) return
  const { method, path, at } = route
  // Every route of an app that was run has its place.
  const { file, line } = at as Position
  throw new CommandFailure(
    EXIT.usage,
    printable(
      `${method} ${path} (${file}:${line}) declares config.auth, and no registration of cognitoAuth reaches it: wrap the plugin that registers cognitoAuth in fastify-plugin; nothing was written`,
      500,
    ),
  )
}

function textOf(files: readonly TemplateSource[]): string {
  const [first, ...others] = files as [TemplateSource, ...TemplateSource[]]
  if (others.length === 0) return first.text
  throw new OptionError('--out', `is missing: there are ${files.length} files, pass a folder`)
}
