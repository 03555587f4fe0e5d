/** `cognito-m2m export`: writes the scopes of an app as a routes file, an OpenAPI document or templates. */
import { Command } from 'commander'
import {
  type ApiDefinition,
  type AppRoute,
  type ClientDefinition,
  type InfraDefinition,
  type Position,
  renderTemplate,
  routesFile,
  type TemplateSource,
} from '../../contract/infra/index.ts'
import { renderTokenProxy } from '../../contract/infra/render/proxy.ts'
import { describeValue, OptionError, omitUndefined } from '../../core/options/validate.ts'
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
 * Lists the defined resource servers, and adds those that routes require without a definition. An undefined
 * scope gets its name as description.
 *
 * @throws {CommandFailure} for a scope that its resource server does not define: it may be misspelled.
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
          `${route.method} ${route.path}: expected a scope of ${identifier}, got ${scope}. Define it or correct the spelling.`,
        )
      }
      const scopes = derived.get(identifier) ?? new Map<string, string>()
      derived.set(identifier, scopes.set(scope.slice(slash + 1), scope))
    }
  }
  const added = [...derived].map(([identifier, scopes]) => ({
    identifier,
    scopes: Object.fromEntries(scopes),
  }))
  return [...resourceServers, ...added]
}

function listScopes({ auth }: AppRoute): readonly string[] {
  if (auth === false) return []
  const { scopes = [], anyOf = [] } = auth
  return [...scopes, ...anyOf.flat()]
}

/** The default of the stage parameter. */
const DEFAULT_STAGE = 'dev'
const FORMATS = ['routes', 'openapi', 'cloudformation', 'sam', 'terraform'] as const

interface ExportFlags {
  readonly to: string
  readonly name?: string
  readonly stage?: string
  readonly domain?: string
  readonly client?: readonly string[]
  readonly tag?: readonly string[]
  readonly api?: string
  readonly accessLogDays?: string
  readonly throttle?: string
  readonly tokenUrl?: string
}

/** Flag by option of a definition. */
const FLAGS_BY_OPTION: Readonly<Record<string, string>> = {
  name: '--name',
  stage: '--stage',
  domain: '--domain',
  clients: '--client',
  tags: '--tag',
  tokenUrl: '--token-url',
  'apis[0].name': '--name',
  'apis[0].kind': '--api',
  'apis[0].accessLogDays': '--access-log-days',
  'apis[0].throttling.rate': '--throttle',
  'apis[0].throttling.burst': '--throttle',
}

/**
 * Renders the files, with relative names.
 *
 * @throws {OptionError} for a flag that is invalid, or missing for the format.
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

/** Validates the format before the module runs. */
function checkFormat({ to, tokenUrl }: ExportFlags): void {
  if (!FORMATS.some((format) => format === to)) {
    throw new OptionError(
      '--to',
      `expected one of ${FORMATS.join(', ')}, got ${describeValue(to)}. Choose one of these formats.`,
    )
  }
  if (to === 'openapi' && tokenUrl === undefined) {
    throw new OptionError(
      '--token-url',
      'expected a URL for --to openapi, got none. Pass https://<domain>/oauth2/token.',
    )
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
  const { name = 'api', stage = DEFAULT_STAGE, domain, client = [name], tag } = flags
  const dialect = flags.to as 'cloudformation' | 'sam' | 'terraform'
  const kind = flags.api ?? (dialect === 'sam' ? 'rest' : undefined)
  const resourceServers = listResourceServers(app)
  const allScopes = resourceServers.flatMap((it) => listDescribedScopes(it).map(([scope]) => scope))
  const definition = omitUndefined<InfraDefinition>({
    name,
    stage,
    domain,
    tags: tag === undefined ? undefined : Object.fromEntries(tag.map(readTag)),
    resourceServers,
    clients: client.map((text) => readClient(text, allScopes)),
    apis: kind === undefined ? [] : [readApi({ name, kind: kind as 'rest' }, app, flags)],
  })
  return renderTemplate(definition, dialect)
}

function readApi(
  api: Pick<ApiDefinition, 'name' | 'kind'>,
  { routes }: Inspection,
  { accessLogDays, throttle }: ExportFlags,
): ApiDefinition {
  return omitUndefined<ApiDefinition>({
    ...api,
    accessLogDays: accessLogDays === undefined ? undefined : Number(accessLogDays),
    throttling: throttle === undefined ? undefined : readThrottle(throttle),
    routes,
  })
}

/** Reads `rate/burst`. */
function readThrottle(text: string): { rate: number; burst: number } {
  const [, rate, burst] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  if (rate !== undefined && burst !== undefined) return { rate: Number(rate), burst: Number(burst) }
  throw new OptionError(
    '--throttle',
    `expected requests per second and at once, such as 100/200, got ${describeValue(text)}. Pass two numbers.`,
  )
}

/** Reads `name=value`. */
function readTag(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
  throw new OptionError('--tag', `expected NAME=VALUE, got ${describeValue(text)}. Add the name.`)
}

/** Reads `name=scope,scope`, or `name` for every scope. */
function readClient(text: string, allScopes: readonly string[]): ClientDefinition {
  const equals = text.indexOf('=')
  if (equals < 0) return { name: text, scopes: allScopes }
  return { name: text.slice(0, equals), scopes: text.slice(equals + 1).split(',') }
}

interface Flags extends ExportFlags {
  readonly proxy?: true
  readonly scopes?: string
  readonly out?: string
  readonly force?: true
  readonly timeout: string
  readonly json?: true
}

export function exportCommand({ terminal }: CommandContext): DocumentedCommand {
  const command = new Command('export')
    .description('write the scopes of an app as a routes file, an OpenAPI document or templates')
    .argument(
      '[module]',
      'the module of the app, which is run: JavaScript, or any format that Node can load',
    )
    .option(
      '--proxy',
      'instead of an app: a function with the caching token proxy, and its template',
    )
    .option(`--to <${FORMATS.join('|')}>`, 'output format', 'routes')
    .option('--scopes <module>', 'a module that exports results of defineScopes, which is run too')
    .option(
      '--name <name>',
      'name of the user pool in templates, and of the API in documents',
      'api',
    )
    .option(
      '--stage <stage>',
      'templates: default of the stage parameter, which ends names',
      DEFAULT_STAGE,
    )
    .option('--domain <prefix>', "templates: the prefix of the pool's domain")
    .option(
      '--client <name=scope,scope>',
      'templates: a client and its scopes (default: every scope); repeatable',
      collectValues,
    )
    .option('--tag <name=value>', 'templates: a tag of every resource; repeatable', collectValues)
    .option('--api <rest|http>', 'templates: an API in front of the routes (sam: rest)')
    .option('--access-log-days <days>', 'templates: an access log of the API, kept for days')
    .option('--throttle <rate/burst>', 'templates: requests per second, and at once')
    .option('--token-url <url>', 'openapi: the token endpoint')
    .option('--out <path>', 'a file, or a folder for several files (default: standard output)')
    .option('--force', 'replace existing files')
    .option('--timeout <seconds>', 'time limit of the module', DEFAULT_TIMEOUT)
    .option('--json', 'print one line of JSON')
    .action(async (module: string | undefined, flags: Flags) => {
      const { signal } = terminal
      const { out, force = false, json = false } = flags
      const files =
        flags.proxy === true
          ? renderProxyFiles(module, flags)
          : await renderApp(module, flags, terminal)
      if (out === undefined) terminal.out(json ? formatJson({ files }) : getSingleText(files))
      else {
        const outputFiles = resolveOutputPaths(files, out)
        writeFiles(outputFiles, { force, signal })
        const names = outputFiles.map(({ file }) => file)
        if (json) terminal.out(formatJson({ files: names.map((file) => ({ file })) }))
        else
          terminal.err(
            `cognito-m2m: wrote ${names.map((name) => toPrintable(name, 500)).join(', ')}\n`,
          )
      }
    })
  return { command, manual: MANUAL }
}

/** Runs the module of the app, and renders the files. */
async function renderApp(
  module: string | undefined,
  flags: Flags,
  terminal: CommandContext['terminal'],
): Promise<readonly TemplateSource[]> {
  if (module === undefined) {
    throw new OptionError(
      'MODULE',
      'expected a module or --proxy, got none. Pass the module of the app.',
    )
  }
  checkFormat(flags)
  const timeout = readSeconds(flags.timeout, '--timeout', 600)
  terminal.err(formatRunNotice(module, timeout))
  const { signal } = terminal
  const { scopes } = flags
  const app = await readAppModule(module, { option: 'MODULE', scopes, timeout, signal })
  assertProtected(app)
  return renderFiles(app, flags)
}

/** Flags that apply to --proxy, and those with a default. */
const PROXY_FLAGS = new Set(['proxy', 'name', 'out', 'force', 'json', 'to', 'stage', 'timeout'])

/** @throws {OptionError} for a module, another format, and a flag that applies to apps only. */
function renderProxyFiles(module: string | undefined, flags: Flags): readonly TemplateSource[] {
  if (module !== undefined) {
    throw new OptionError(
      'MODULE',
      `expected none with --proxy, got ${describeValue(module)}. Remove the module.`,
    )
  }
  if (flags.to !== 'routes' && flags.to !== 'sam') {
    throw new OptionError(
      '--to',
      `expected sam with --proxy, got ${describeValue(flags.to)}. Remove the flag.`,
    )
  }
  const other = Object.keys(flags).find((name) => !PROXY_FLAGS.has(name))
  if (other !== undefined) {
    const flag = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    throw new OptionError(flag, 'expected no such flag with --proxy, got one. Remove the flag.')
  }
  return renderTokenProxy(flags.name as string)
}

const MANUAL: Manual = {
  description: [
    'Runs the module in a child process and stops it after --timeout. The child has this environment, no keys of a pool, and its servers on free ports of loopback. The command reads the requirement of each route and writes it in the format of --to.',
    'check --routes reads a routes file without running the app. Descriptions of scopes come from results of defineScopes that the module, or the module of --scopes, exports. Other scopes get their names as descriptions.',
    '--proxy runs no module. It writes proxy.yaml, a SAM template with function, HTTP API, table and role, and proxy.mjs, the code of the function.',
    'The command writes all files or none.',
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
    ['The token proxy as a function, with its template:', 'cognito-m2m export --proxy --out infra'],
    [
      'An OpenAPI document:',
      'cognito-m2m export dist/app.js --to openapi --token-url https://orders.auth.eu-west-1.amazoncognito.com/oauth2/token',
    ],
  ],
  seeAlso: [['The files that are written, and what to edit in them:', 'export.md']],
}

/** Rejects unprotected routes: the output must match what the app enforces. */
function assertProtected({ routes }: Inspection): void {
  const route = routes.find(({ unprotected }) => unprotected === true)
  if (route === undefined) return
  const { method, path, at } = route
  // Every route of an inspected app has a position.
  const { file, line } = at as Position
  throw new CommandFailure(
    EXIT.usage,
    toPrintable(
      `${method} ${path} (${file}:${line}): expected a cognitoAuth registration for config.auth, got none. Wrap the plugin that registers cognitoAuth in fastify-plugin. Nothing was written.`,
      500,
    ),
  )
}

function getSingleText(files: readonly TemplateSource[]): string {
  const [first, ...others] = files as [TemplateSource, ...TemplateSource[]]
  if (others.length === 0) return first.text
  throw new OptionError(
    '--out',
    `expected a folder for ${files.length} files, got none. Pass a folder.`,
  )
}
