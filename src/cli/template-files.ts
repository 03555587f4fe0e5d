/** Templates named on the command line: files, and folders of Terraform. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OptionError, show } from '../core/option-error.ts'
import type { InfraModel, TemplateSource } from '../infra/index.ts'

const isTerraform = (file: string): boolean => /\.tf$/i.test(file)

/** @param given `NAME=VALUE` each. */
export function readParameters(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=')
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
      throw new OptionError('--parameter', `is ${show(text)}: write NAME=VALUE`)
    }),
  )
}

/**
 * Reads templates that are deployed together. The `.tf` files of one folder are one module.
 *
 * @param paths CloudFormation and SAM templates, `.tf` files, folders of `.tf` files.
 */
export async function readTemplates(
  paths: readonly string[],
  parameters: Readonly<Record<string, string>>,
): Promise<readonly InfraModel[]> {
  const { readTemplate } = await import('../infra/index.ts')
  const units = new Map<string, TemplateSource[]>()
  for (const source of paths.flatMap(sourcesOf)) {
    const { file } = source
    const unit = isTerraform(file) ? dirname(file) : `file ${file}`
    const sources = units.get(unit) ?? []
    if (!sources.some((known) => known.file === file)) units.set(unit, [...sources, source])
  }
  const models: InfraModel[] = []
  for (const sources of units.values()) models.push(await readTemplate(sources, { parameters }))
  return models
}

function sourcesOf(path: string): readonly TemplateSource[] {
  try {
    return [{ file: path, text: readFileSync(path, 'utf8') }]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR') return moduleOf(path)
    throw new OptionError(path, `cannot be read (${code}): name a readable template`)
  }
}

function moduleOf(folder: string): readonly TemplateSource[] {
  const files = readdirSync(folder).filter(isTerraform).sort()
  if (files.length === 0) {
    throw new OptionError(folder, 'is a folder without .tf files: name the template')
  }
  return files.flatMap((file) => sourcesOf(join(folder, file)))
}
