/** Reads `cognito-m2m.config.json`, the configuration of `check` for a repository. */
import { dirname, join } from 'node:path'
import { CHECK_CODES, type CheckCode } from '../../../contract/infra/check/finding.ts'
import type { Finding, TemplateSource } from '../../../contract/infra/index.ts'
import { statIfExists } from '../../files/flags.ts'
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
export interface CheckConfig {
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
    parameters: readParameters(root.get('parameters')),
    proxyTtl: readOptionalNumber(root.get('proxyTtl'), 0, MAX_PROXY_TTL),
    pools: readItems(root.get('pools')).map(readPool),
    severities: readSeverities(root.get('severities')),
    exemptions: readTreeItems(root.get('unjudged'), ['resource', 'fact', 'reason']).map(
      readExemption,
    ),
  }
}

function readParameters(member: Member): Readonly<Record<string, string>> {
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
