/** Combines the command line of `check` with the configuration. The command line has precedence. */

import { dirname, join } from 'node:path'
import { CHECK_CODES, type CheckCode } from '../../../contract/infra/check/finding.ts'
import type { Finding, TemplateSource } from '../../../contract/infra/index.ts'
import { OptionError } from '../../../core/options/validate.ts'
import { readParameters, readSeconds, statIfExists } from '../../files/flags.ts'
import { readText } from '../../files/read.ts'
import {
  failAt,
  type JsonObject,
  type Member,
  readChoice,
  readItems,
  readMembers,
  readObject,
  readOptionalNumber,
  readOptionalString,
  readString,
  readTreeItems,
} from './json-file.ts'

const CONFIG_FILE = 'cognito-m2m.config.json'
const MEMBERS = [
  ...['$schema', 'templates', 'app', 'routes', 'openapi', 'parameters', 'proxyTtl', 'pools'],
  ...['severities', 'unjudged', 'baseline'],
]
const SEVERITIES = ['error', 'warning', 'off'] as const
const MAX_PROXY_TTL = 86_400

type Severity = (typeof SEVERITIES)[number]

/** A fact that `--strict` accepts without a value. */
export interface Exemption {
  readonly resource: string
  /** Undefined for every fact of the resource. */
  readonly fact?: string
}

/** Settings of a repository. Paths are relative to the working directory. */
interface CheckConfig {
  readonly templates: readonly string[]
  readonly app?: string | undefined
  readonly routes?: string | undefined
  readonly openapi?: string | undefined
  readonly baseline?: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  /** Seconds. */
  readonly proxyTtl?: number | undefined
  /** Groups of names, ids and addresses, each of one user pool. */
  readonly pools: readonly (readonly string[])[]
  readonly severities: ReadonlyMap<CheckCode, Severity>
  readonly exemptions: readonly Exemption[]
}

const NO_CONFIG: CheckConfig = {
  templates: [],
  parameters: {},
  pools: [],
  severities: new Map(),
  exemptions: [],
}

/**
 * Reads the file of `--config`, or else `cognito-m2m.config.json` in the working directory, if there is one.
 *
 * @throws {TemplateError} with the position of the invalid member.
 * @throws {OptionError} if the file cannot be read.
 */
export async function findConfig(
  file: string | undefined,
  signal: AbortSignal,
): Promise<CheckConfig> {
  if (file !== undefined) return readConfig(await readText(file, '--config', signal))
  if (statIfExists(CONFIG_FILE) === undefined) return NO_CONFIG
  return readConfig(await readText(CONFIG_FILE, '--config', signal))
}

/** @throws {TemplateError} with the position of the invalid member. */
export async function readConfig(source: TemplateSource): Promise<CheckConfig> {
  const root = await readMembers(source, MEMBERS)
  const folder = dirname(source.file)
  const readPath = (member: Member): string => join(folder, readString(member))
  const readOptionalPath = (name: string): string | undefined =>
    root.get(name).tree === undefined ? undefined : readPath(root.get(name))
  readOptionalString(root.get('$schema'))
  if (root.names.includes('app') && root.names.includes('routes')) {
    failAt(root.get('routes'), 'app or routes', 'both', 'Remove one of them.')
  }
  return {
    templates: readItems(root.get('templates')).map(readPath),
    app: readOptionalPath('app'),
    routes: readOptionalPath('routes'),
    openapi: readOptionalPath('openapi'),
    baseline: readOptionalPath('baseline'),
    parameters: readParameterValues(root.get('parameters')),
    proxyTtl: readOptionalNumber(root.get('proxyTtl'), 0, MAX_PROXY_TTL),
    pools: readItems(root.get('pools')).map(readPool),
    severities: readSeverities(root.get('severities')),
    exemptions: readTreeItems(root.get('unjudged'), ['resource', 'fact', 'reason']).map(
      readExemption,
    ),
  }
}

function readParameterValues(member: Member): Readonly<Record<string, string>> {
  if (member.tree === undefined) return {}
  const { names, get } = readObject(member)
  return Object.fromEntries(names.map((name) => [name, readString(get(name))]))
}

function readPool(member: Member): readonly string[] {
  const names = readItems(member).map(readString)
  if (names.length >= 2) return names
  return failAt(member, 'at least 2 names of one pool', String(names.length), 'Add the other name.')
}

function readSeverities(member: Member): ReadonlyMap<CheckCode, Severity> {
  if (member.tree === undefined) return new Map()
  const { names, get } = readObject(member, CHECK_CODES)
  return new Map(names.map((name) => [name as CheckCode, readChoice(get(name), SEVERITIES)]))
}

function readExemption({ get }: JsonObject): Exemption {
  readString(get('reason'))
  const fact = readOptionalString(get('fact'))
  const resource = readString(get('resource'))
  return fact === undefined ? { resource } : { resource, fact }
}

/** Applies the severities of the configuration. `off` removes a finding. */
export const applySeverities = (
  findings: readonly Finding[],
  severities: ReadonlyMap<CheckCode, Severity>,
): readonly Finding[] =>
  findings.flatMap((finding) => {
    const severity = severities.get(finding.code) ?? finding.severity
    return severity === 'off' ? [] : [{ ...finding, severity }]
  })

/** The options of the command line. */
export interface CheckFlags {
  /** False for `--no-app`. */
  readonly app?: string | false
  readonly routes?: string
  readonly openapi?: string
  readonly parameter?: readonly string[]
  readonly proxyTtl?: string
  readonly timeout: string
  readonly config?: string
  readonly baseline?: string
  readonly updateBaseline?: true
  readonly strict?: true
  readonly fix?: true
  readonly write?: true
  readonly format: string
  readonly json?: true
}

export interface CheckSettings {
  readonly templates: readonly string[]
  readonly app: string | undefined
  readonly routes: string | undefined
  readonly openapi: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  /** The names among the parameters that the command line passes. A template must declare them. */
  readonly requiredNames: readonly string[]
  /** The names among the parameters that the configuration has. */
  readonly configuredNames: readonly string[]
  /** Groups of names, each of one user pool. */
  readonly pools: CheckConfig['pools']
  /** Seconds. */
  readonly proxyTtl: number | undefined
  /** Seconds. */
  readonly timeout: number
  readonly baseline: string | undefined
  /** Whether findings are written to the baseline. Then there is one. */
  readonly updatesBaseline: boolean
  /** Whether the texts of templates are needed after they were read: for `--fix`. */
  readonly keepsTexts: boolean
}

/** @throws {OptionError} for invalid options, and if there are no templates. */
export function resolveSettings(
  templates: readonly string[],
  flags: CheckFlags,
  config: CheckConfig,
): CheckSettings {
  const { app, routes, proxyTtl, baseline = config.baseline } = flags
  if (typeof app === 'string' && routes !== undefined) {
    throw new OptionError('--routes', 'expected --routes or --app, got both. Pass one of them.')
  }
  checkFix(flags)
  const updatesBaseline = flags.updateBaseline === true
  if (updatesBaseline && baseline === undefined) {
    throw new OptionError(
      '--update-baseline',
      'expected the file of --baseline, got none. Add --baseline FILE.',
    )
  }
  const all = templates.length > 0 ? templates : config.templates
  if (all.length === 0) {
    throw new OptionError(
      'TEMPLATE',
      'expected a template, got none. Pass one, or list templates in cognito-m2m.config.json.',
    )
  }
  const passed = readParameters(flags.parameter ?? [])
  return {
    templates: all,
    ...chooseRoutes(flags, config),
    openapi: flags.openapi ?? config.openapi,
    parameters: { ...config.parameters, ...passed },
    requiredNames: Object.keys(passed),
    configuredNames: Object.keys(config.parameters),
    pools: config.pools,
    proxyTtl:
      proxyTtl === undefined ? config.proxyTtl : readSeconds(proxyTtl, '--proxy-ttl', 86_400),
    timeout: readSeconds(flags.timeout, '--timeout', 600),
    baseline,
    updatesBaseline,
    keepsTexts: flags.fix === true,
  }
}

function checkFix({ fix, write, updateBaseline, format, json }: CheckFlags): void {
  if (write === true && fix !== true) {
    throw new OptionError('--write', 'expected --fix too, got --write alone. Add --fix.')
  }
  if (fix !== true) return
  if (updateBaseline === true) {
    const problem = 'expected --fix or --update-baseline, got both. Pass one of them.'
    throw new OptionError('--fix', problem)
  }
  if (json === true || format !== 'text') {
    throw new OptionError('--fix', 'expected the format text, got another one. Remove --format.')
  }
}

/** An app or routes file of the command line replaces either of the configuration. */
function chooseRoutes(
  { app, routes }: CheckFlags,
  config: CheckConfig,
): Pick<CheckSettings, 'app' | 'routes'> {
  if (typeof app === 'string') return { app, routes: undefined }
  if (routes !== undefined) return { app: undefined, routes }
  return { app: app === false ? undefined : config.app, routes: config.routes }
}
