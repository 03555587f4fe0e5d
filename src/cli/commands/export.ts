/** `cognito-m2m export`: the scopes of an app, as a routes file, an OpenAPI document or templates. */
import { Command } from 'commander'
import {
  type AppRoute,
  type ClientDefinition,
  type InfraDefinition,
  type Position,
  renderTemplate,
  routesFile,
  type TemplateSource,
} from '../../contract/infra/index.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import {
  isReserved,
  listDescribedScopes,
  type ResourceServerDefinition,
} from '../../core/scopes.ts'
import { toPrintable } from '../../core/util/text.ts'
import type { Inspection } from '../app-loader/inspection.ts'
import { readAppModule } from '../app-loader/process.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { collectValues, DEFAULT_TIMEOUT, formatRunNotice, readSeconds } from '../files/flags.ts'
import { resolveOutputPaths, writeFiles } from '../files/write.ts'
import { formatJson } from '../terminal/format.ts'
import type { Manual } from '../terminal/help.ts'
import type { CommandContext, DocumentedCommand } from '../terminal/terminal.ts'
import { createOpenApiDocument } from './export-openapi.ts'

/**
 * What is defined, and resource servers made of what routes ask for beside it: a scope that nobody described
 * is described by its own name.
 *
 * @throws {CommandFailure} for a scope that its own resource server does not define: it may be misspelt.
 */
function listResourceServers({ routes, resourceServers }: Inspection): ResourceServerDefinition[] {
  const defined = new Set(
    resourceServers.flatMap((it) => listDescribedScopes(it).map(([scope]) => scope)),
  )
  const identifiers = new Set(resourceServers.map(({ identifier }) => identifier))
  const derived = new Map<string, Map<string, string>>()
  for (const route of routes) {
    for (const scope of listScopes(route)) {
      if (defined.has(scope) || isReserved(scope)) continue
      const slash = scope.lastIndexOf('/')
      const identifier = scope.slice(0, slash)
      if (identifiers.has(identifier)) {
        throw new CommandFailure(
          EXIT.usage,
          `${route.method} ${route.path} asks for ${scope}, which is not among the scopes of ${identifier}: define it or correct the spelling`,
        )
      }
      const scopes = derived.get(identifier) ?? new Map<string, string>()
      derived.set(identifier, scopes.set(scope.slice(slash + 1), scope))
    }
  }
  const made = [...derived].map(([identifier, scopes]) => ({
    identifier,
    scopes: Object.fromEntries(scopes),
  }))
  return [...resourceServers, ...made]
}

function listScopes({ auth }: AppRoute): readonly string[] {
  if (auth === false) return []
  const { scopes = [], anyOf = [] } = auth
  return [...scopes, ...anyOf.flat()]
}

const FORMATS = ['routes', 'openapi', 'cloudformation', 'sam', 'terraform'] as const

interface ExportFlags {
  readonly to: string
  readonly name?: string
  readonly domain?: string
  readonly client?: readonly string[]
  readonly api?: string
  readonly tokenUrl?: string
}

/** Which flag a member of a definition comes from. */
const FLAGS_BY_OPTION: Readonly<Record<string, string>> = {
  name: '--name',
  domain: '--domain',
  clients: '--client',
  tokenUrl: '--token-url',
  'api.kind': '--api',
}

/**
 * Their names are relative to where they are put.
 *
 * @throws {OptionError} for a flag that is wrong, or missing for this format.
 */
export function renderFiles(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const { to } = flags
  if (to === 'routes') {
    return [{ file: 'routes.json', text: routesFile(app.routes, app.resourceServers) }]
  }
  try {
    return to === 'openapi' ? renderDocument(app, flags) : renderTemplates(app, flags)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const { option, problem } = error
    const flag = FLAGS_BY_OPTION[option] ?? FLAGS_BY_OPTION[option.replace(/[.[].*/, '')]
    throw flag === undefined ? error : new OptionError(flag, problem)
  }
}

/** Refused before anything runs. */
function checkFormat({ to, tokenUrl }: ExportFlags): void {
  if (!FORMATS.some((format) => format === to)) {
    throw new OptionError('--to', `is ${describeValue(to)}: use one of ${FORMATS.join(', ')}`)
  }
  if (to === 'openapi' && tokenUrl === undefined) {
    throw new OptionError('--token-url', 'is missing: pass https://<domain>/oauth2/token')
  }
}

function renderDocument(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const resourceServers = listResourceServers(app)
  const document = createOpenApiDocument(app.routes, {
    title: flags.name ?? 'api',
    tokenUrl: flags.tokenUrl as string,
    resourceServers,
  })
  return [{ file: 'openapi.json', text: `${JSON.stringify(document, null, 2)}\n` }]
}

function renderTemplates(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const { name = 'api', domain, client = [name] } = flags
  const dialect = flags.to as 'cloudformation' | 'sam' | 'terraform'
  const kind = flags.api ?? (dialect === 'sam' ? 'rest' : undefined)
  const resourceServers = listResourceServers(app)
  const every = resourceServers.flatMap((it) => listDescribedScopes(it).map(([scope]) => scope))
  const definition: InfraDefinition = {
    name,
    ...(domain === undefined ? {} : { domain }),
    resourceServers,
    clients: client.map((text) => readClient(text, every)),
    ...(kind === undefined ? {} : { api: { name, kind: kind as 'rest', routes: app.routes } }),
  }
  return renderTemplate(definition, dialect)
}

/** `name=scope,scope`, or `name` alone for every scope. */
function readClient(text: string, every: readonly string[]): ClientDefinition {
  const equals = text.indexOf('=')
  if (equals < 0) return { name: text, scopes: every }
  return { name: text.slice(0, equals), scopes: text.slice(equals + 1).split(',') }
}

interface Flags extends ExportFlags {
  readonly scopes?: string
  readonly out?: string
  readonly force?: true
  readonly timeout: string
  readonly json?: true
}

export function exportCommand({ terminal }: CommandContext): DocumentedCommand {
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
      collectValues,
    )
    .option('--api <rest|http>', 'templates: an API in front of the routes (sam: rest)')
    .option('--token-url <url>', 'openapi: where tokens come from')
    .option('--out <path>', 'a file, or a folder for several; default: standard output')
    .option('--force', 'replace files that exist')
    .option('--timeout <seconds>', 'how long the module may take', DEFAULT_TIMEOUT)
    .option('--json', 'print one line of JSON')
    .action(async (module: string, flags: Flags) => {
      checkFormat(flags)
      const timeout = readSeconds(flags.timeout, '--timeout', 600)
      terminal.err(formatRunNotice(module, timeout))
      const { signal } = terminal
      const { scopes, out, force = false, json = false } = flags
      const app = await readAppModule(module, {
        ...{ option: 'MODULE', timeout, signal },
        ...(scopes === undefined ? {} : { scopes }),
      })
      assertProtected(app)
      const files = renderFiles(app, flags)
      if (out === undefined) terminal.out(json ? formatJson({ files }) : getSingleText(files))
      else {
        const placed = resolveOutputPaths(files, out)
        writeFiles(placed, { force, signal })
        const names = placed.map(({ file }) => file)
        if (json) terminal.out(formatJson({ files: names.map((file) => ({ file })) }))
        else terminal.err(`wrote ${names.map((name) => toPrintable(name, 500)).join(', ')}\n`)
      }
    })
  return { command, manual: MANUAL }
}

const MANUAL: Manual = {
  description: [
    'Runs the module in a process of its own, which is stopped after --timeout, with this environment, without keys of a pool, and with its servers on free ports of loopback; reads what each route of its app needs; and writes that down.',
    'A routes file is what check --routes reads without running anything. Scopes are described where the module, or the one of --scopes, exports what defineScopes gave; others by their own names.',
    'Files are written as a whole or not at all.',
  ],
  exitStatus: {
    usage: 'nothing was written: an option or the module is invalid, or a file exists',
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
function assertProtected({ routes }: Inspection): void {
  const route = routes.find(({ unprotected }) => unprotected === true)
  if (route === undefined) return
  const { method, path, at } = route
  // Every route of an app that was run has its place.
  const { file, line } = at as Position
  throw new CommandFailure(
    EXIT.usage,
    toPrintable(
      `${method} ${path} (${file}:${line}) declares config.auth, and no registration of cognitoAuth reaches it: wrap the plugin that registers cognitoAuth in fastify-plugin; nothing was written`,
      500,
    ),
  )
}

function getSingleText(files: readonly TemplateSource[]): string {
  const [first, ...others] = files as [TemplateSource, ...TemplateSource[]]
  if (others.length === 0) return first.text
  throw new OptionError('--out', `is missing: there are ${files.length} files, pass a folder`)
}
