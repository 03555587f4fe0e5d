/** Reads the inputs of `check`, and checks them. */
import {
  type AppRoute,
  type CheckScopesOptions,
  type Coverage,
  checkCoverage,
  checkScopes,
  type InfraModel,
  readOpenApi,
  readRoutes,
} from '../../../contract/infra/index.ts'
import { omitUndefined } from '../../../core/options/validate.ts'
import { readAppModule } from '../../app-loader/process.ts'
import { formatRunNotice, type VariableFlag } from '../../files/flags.ts'
import { listUnknownPools } from '../../files/inputs.ts'
import { readModels } from '../../files/models.ts'
import { readText } from '../../files/read.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Checked } from './fix/fix.ts'
import type { CheckSettings } from './settings.ts'

export interface CheckInputs {
  readonly models: readonly InfraModel[]
  /** The texts of all files that were read for `models`, by name. Empty without `--fix`. */
  readonly texts: ReadonlyMap<string, string>
  /** Reads the templates again. Files of the map have the texts in it. */
  readonly readAgain: (texts: ReadonlyMap<string, string>) => Promise<readonly InfraModel[]>
  readonly options: CheckScopesOptions
}

/** Reads all files, and the routes of the app, which runs its module. */
export async function readInputs(
  settings: CheckSettings,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<CheckInputs> {
  const { templates, openapi: document, pools, proxyTtl, keepsTexts } = settings
  const { signal } = terminal
  const texts = new Map<string, string>()
  const warn = (warning: string): void => terminal.err(`cognito-m2m: warning: ${warning}\n`)
  const { parameters, requiredNames, configuredNames } = settings
  const common = { option: 'TEMPLATE', parameters, variables, signal }
  // A template that cannot be read is reported before the module runs.
  const models = await readModels(templates, {
    ...common,
    requiredNames,
    configuredNames,
    onWarning: warn,
    cache: keepsTexts ? texts : undefined,
  })
  for (const warning of listUnknownPools(models, pools)) warn(warning)
  const openapi =
    document === undefined
      ? undefined
      : await readOpenApi(await readText(document, '--openapi', signal))
  const routes = await readAppRoutes(settings, terminal)
  return {
    models,
    texts,
    readAgain: (changed) =>
      readModels(templates, { ...common, cache: new Map([...texts, ...changed]) }),
    options: omitUndefined<CheckScopesOptions>({ routes, openapi, pools, proxyTtl }),
  }
}

async function readAppRoutes(
  { app, routes, timeout }: CheckSettings,
  terminal: Terminal,
): Promise<readonly AppRoute[] | undefined> {
  const { signal } = terminal
  if (routes !== undefined) return readRoutes(await readText(routes, '--routes', signal))
  if (app === undefined) return undefined
  terminal.err(formatRunNotice(app, timeout))
  return (await readAppModule(app, { option: '--app', timeout, signal })).routes
}

/** @param changed Texts of files that differ from those that were read. */
export async function checkTemplates(
  { models: original, readAgain, options }: CheckInputs,
  changed?: ReadonlyMap<string, string>,
): Promise<Checked> {
  const models = changed === undefined ? original : await readAgain(changed)
  return { models, findings: checkScopes(models, options) }
}

/** Reports what a check evaluated. */
export const measureCoverage = ({ models }: Checked, { options }: CheckInputs): Coverage =>
  checkCoverage(models, options)
