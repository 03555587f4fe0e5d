/** Reads an app by running its module in a child process, within a time limit. */
import { extname, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { OptionError } from '../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { quoted, statOf } from '../files/flags.ts'
import { lineOfChild } from './child-line.ts'
import type { Inspection } from './inspection.ts'
import type { Job } from './load.ts'

/** Beside this file, whether it was built or not. */
const CHILD = new URL(`./child${extname(import.meta.url)}`, import.meta.url)

export interface AppModuleOptions {
  /** What the module is called in messages, `--app` say. */
  readonly option: string
  /** A second module, which exports what `defineScopes` gave. */
  readonly scopes?: string
  /** Seconds. */
  readonly timeout: number
  /** Ends the child. */
  readonly signal: AbortSignal
}

/**
 * The routes and scopes of the app that a module makes. The module runs: with this process's environment
 * and working directory, its output thrown away, and without keys of a pool. Nothing of it is left behind.
 *
 * @throws {OptionError} for what is no file.
 * @throws {CommandFailure} where the module does not make an app in time.
 */
export async function readAppModule(file: string, options: AppModuleOptions): Promise<Inspection> {
  const { option, scopes, timeout, signal } = options
  const job: Job = {
    name: file,
    module: urlOf(file, option),
    ...(scopes === undefined ? {} : { scopes: urlOf(scopes, '--scopes') }),
  }
  const args = [...process.execArgv, fileURLToPath(CHILD), JSON.stringify(job)]
  const { failure, inspection } = parse(await lineOfChild(args, { name: file, timeout, signal }))
  if (inspection !== undefined) return inspection
  throw new CommandFailure(EXIT.usage, failure ?? `${file} wrote to the pipe of this command`)
}

function urlOf(file: string, option: string): string {
  const path = resolve(file)
  if (statOf(path)?.isFile() === true) return pathToFileURL(path).href
  throw new OptionError(option, `is ${quoted(file)}: no such file`)
}

/** Whatever a module may have written there. */
function parse(told: string): { readonly failure?: string; readonly inspection?: Inspection } {
  try {
    return JSON.parse(told) ?? {}
  } catch {
    return {}
  }
}
