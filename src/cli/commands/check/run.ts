/** Reads the inputs of `check`, and checks them. */
import {
  type AppRoute,
  type CheckScopesOptions,
  checkScopes,
  readOpenApi,
  readRoutes,
  readTemplate,
  type TemplateSource,
} from '../../../contract/infra/index.ts'
import { omitUndefined } from '../../../core/options/validate.ts'
import { readAppModule } from '../../app-loader/process.ts'
import { formatRunNotice } from '../../files/flags.ts'
import { groupTemplates, readText } from '../../files/read.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Checked } from './fix/fix.ts'
import type { CheckSettings } from './settings.ts'

export interface CheckInputs {
  /** The files of each template or Terraform module. */
  readonly groups: readonly (readonly TemplateSource[])[]
  readonly parameters: Readonly<Record<string, string>>
  readonly options: CheckScopesOptions
}

/** Reads all files, and the routes of the app, which runs its module. */
export async function readInputs(
  settings: CheckSettings,
  terminal: Terminal,
): Promise<CheckInputs> {
  const { parameters, openapi: document, proxyTtl } = settings
  const groups = groupTemplates(settings.templates)
  // A template that cannot be read is reported before the module runs.
  for (const group of groups) await readTemplate(group, { parameters })
  const openapi =
    document === undefined ? undefined : await readOpenApi(readText(document, '--openapi'))
  const routes = await readAppRoutes(settings, terminal)
  return {
    groups,
    parameters,
    options: omitUndefined<CheckScopesOptions>({ routes, openapi, proxyTtl }),
  }
}

async function readAppRoutes(
  { app, routes, timeout }: CheckSettings,
  terminal: Terminal,
): Promise<readonly AppRoute[] | undefined> {
  if (routes !== undefined) return readRoutes(readText(routes, '--routes'))
  if (app === undefined) return undefined
  terminal.err(formatRunNotice(app, timeout))
  const options = { option: '--app', timeout, signal: terminal.signal }
  return (await readAppModule(app, options)).routes
}

/** @param texts Texts of files that differ from those that were read. */
export async function checkTemplates(
  { groups, parameters, options }: CheckInputs,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<Checked> {
  const models = await Promise.all(
    groups.map((group) => {
      const sources = group.map(({ file, text }) => ({ file, text: texts.get(file) ?? text }))
      return readTemplate(sources, { parameters })
    }),
  )
  return { models, findings: checkScopes(models, options) }
}
