/** Combines the command line of `check` with the configuration. The command line has precedence. */
import { OptionError } from '../../../core/options/validate.ts'
import { readParameters, readSeconds } from '../../files/flags.ts'
import type { CheckConfig } from './config.ts'

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
  return {
    templates: all,
    ...chooseRoutes(flags, config),
    openapi: flags.openapi ?? config.openapi,
    parameters: { ...config.parameters, ...readParameters(flags.parameter ?? []) },
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
