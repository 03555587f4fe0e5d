/** Loads the module of `cognito-m2m local --trigger`: the pre-token-generation trigger of the local pool. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import type { PreTokenGenerationTrigger } from '../../testing/index.ts'

/**
 * Imports a module and returns its function `handler`, or its default export. A CommonJS module has its exports in
 * the default export too.
 *
 * @throws {OptionError} for a missing file, a module that throws, and one without such a function.
 */
export async function loadTrigger(path: string): Promise<PreTokenGenerationTrigger> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new OptionError(
      '--trigger',
      `expected the path of a module, got ${describeValue(path)}, which does not exist. Correct the path.`,
    )
  }
  const exported = await importModule(file)
  const { handler, default: main } = exported
  const inner = (main as { readonly handler?: unknown } | null | undefined)?.handler
  const trigger = [handler, inner, main].find((it) => typeof it === 'function')
  if (trigger !== undefined) return trigger as PreTokenGenerationTrigger
  throw new OptionError(
    '--trigger',
    `expected a module that exports a function handler, got ${Object.keys(exported).join(', ') || 'no exports'}. Export the trigger as handler.`,
  )
}

async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (error) {
    const [line] = String((error as Error | undefined)?.message).split('\n')
    throw new OptionError(
      '--trigger',
      `expected a module that can be imported, got the error ${describeValue(line)}. Run it with node to see the error.`,
    )
  }
}
