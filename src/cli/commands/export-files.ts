/** What is read from an app, as the files it is exported to. */

import {
  type ClientDefinition,
  type InfraDefinition,
  renderTemplate,
  routesFile,
  type TemplateSource,
} from '../../contract/infra/index.ts'
import { OptionError, show } from '../../core/options/validate.ts'
import { describedScopes } from '../../core/scopes.ts'
import type { Inspection } from '../app-loader/inspection.ts'
import { openApiDocument } from './export-openapi.ts'
import { resourceServersOf } from './export-scopes.ts'

export const FORMATS = ['routes', 'openapi', 'cloudformation', 'sam', 'terraform'] as const

export interface ExportFlags {
  readonly to: string
  readonly name?: string
  readonly domain?: string
  readonly client?: readonly string[]
  readonly api?: string
  readonly tokenUrl?: string
}

/** Which flag a member of a definition comes from. */
const FLAGS: Readonly<Record<string, string>> = {
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
export function exportedFiles(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const { to } = flags
  if (to === 'routes') {
    return [{ file: 'routes.json', text: routesFile(app.routes, app.resourceServers) }]
  }
  try {
    return to === 'openapi' ? documentOf(app, flags) : templatesOf(app, flags)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const { option, problem } = error
    const flag = FLAGS[option] ?? FLAGS[option.replace(/[.[].*/, '')]
    throw flag === undefined ? error : new OptionError(flag, problem)
  }
}

/** Refused before anything runs. */
export function checkFormat({ to, tokenUrl }: ExportFlags): void {
  if (!FORMATS.some((format) => format === to)) {
    throw new OptionError('--to', `is ${show(to)}: use one of ${FORMATS.join(', ')}`)
  }
  if (to === 'openapi' && tokenUrl === undefined) {
    throw new OptionError('--token-url', 'is missing: pass https://<domain>/oauth2/token')
  }
}

function documentOf(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const resourceServers = resourceServersOf(app)
  const document = openApiDocument(app.routes, {
    title: flags.name ?? 'api',
    tokenUrl: flags.tokenUrl as string,
    resourceServers,
  })
  return [{ file: 'openapi.json', text: `${JSON.stringify(document, null, 2)}\n` }]
}

function templatesOf(app: Inspection, flags: ExportFlags): readonly TemplateSource[] {
  const { name = 'api', domain, client = [name] } = flags
  const dialect = flags.to as 'cloudformation' | 'sam' | 'terraform'
  const kind = flags.api ?? (dialect === 'sam' ? 'rest' : undefined)
  const resourceServers = resourceServersOf(app)
  const every = resourceServers.flatMap((it) => describedScopes(it).map(([scope]) => scope))
  const definition: InfraDefinition = {
    name,
    ...(domain === undefined ? {} : { domain }),
    resourceServers,
    clients: client.map((text) => clientOf(text, every)),
    ...(kind === undefined ? {} : { api: { name, kind: kind as 'rest', routes: app.routes } }),
  }
  return renderTemplate(definition, dialect)
}

/** `name=scope,scope`, or `name` alone for every scope. */
function clientOf(text: string, every: readonly string[]): ClientDefinition {
  const equals = text.indexOf('=')
  if (equals < 0) return { name: text, scopes: every }
  return { name: text.slice(0, equals), scopes: text.slice(equals + 1).split(',') }
}
