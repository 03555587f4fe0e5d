/** Reads the templates of the command line into models, one after the other. */
import { realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, sep } from 'node:path'
import type { Command } from 'commander'
import { type InfraModel, readTemplate, type VariableValue } from '../../contract/infra/index.ts'
import type { TemplateSource } from '../../contract/infra/read-options.ts'
import { OptionError } from '../../core/options/validate.ts'
import { quoteFile, readPair, statIfExists } from './flags.ts'
import { listModuleFiles, listTemplates, listVariableFiles, type TemplateUnit } from './folders.ts'
import { readText } from './read.ts'

/** `--var` or `--var-file`. */
export type VariableFlag = VariableValue | { readonly variableFile: string }

export interface ReadModelsOptions {
  /** Name of the option in messages. */
  readonly option: string
  readonly parameters: Readonly<Record<string, string>>
  /** In the order of the command line. */
  readonly variables?: readonly VariableFlag[]
  readonly signal: AbortSignal
  /** Texts by file name, which are used instead of the files. The texts of other files are added. */
  readonly cache?: Map<string, string> | undefined
}

/**
 * Adds `--var` and `--var-file` to a command.
 *
 * @returns The values of both in the order of the command line. Empty until the command is parsed.
 */
export function addVariableOptions(command: Command): readonly VariableFlag[] {
  const variables: VariableFlag[] = []
  command
    .option('--var <name=value>', 'value of a Terraform variable; repeatable', (text: string) => {
      const [name, value] = readPair(text, '--var')
      variables.push({ name, value })
    })
    .option('--var-file <file>', 'values of Terraform variables; repeatable', (file: string) => {
      variables.push({ variableFile: file })
    })
  return variables
}

/**
 * Reads the model of each template and Terraform module. The texts of one are released before the next is read.
 *
 * @param names Files and folders, relative to the working directory.
 * @throws {OptionError} for a file or folder that cannot be read, or has no template.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if a template is not well-formed.
 * @throws {CommandFailure} if the signal aborts.
 */
export async function readModels(
  names: readonly string[],
  options: ReadModelsOptions,
): Promise<readonly InfraModel[]> {
  const { option } = options
  const models: InfraModel[] = []
  const empty = new Set(names.filter((name) => statIfExists(name)?.isDirectory()))
  for (const unit of listTemplates(names, option)) {
    const model = await readUnit(unit, options)
    if (model === undefined) continue
    models.push(model)
    if (unit.folder !== undefined) empty.delete(unit.folder)
  }
  const [folder] = empty
  if (folder === undefined) return models
  throw new OptionError(
    option,
    `expected a folder with templates, got ${quoteFile(folder)}. Name the templates, or the folder of a Terraform module.`,
  )
}

async function readSource(
  file: string,
  option: string,
  { cache, signal }: ReadModelsOptions,
): Promise<TemplateSource> {
  const cached = cache?.get(file)
  if (cached !== undefined) return { file, text: cached }
  const source = await readText(file, option, signal)
  cache?.set(file, source.text)
  return source
}

async function readUnit(
  unit: TemplateUnit,
  options: ReadModelsOptions,
): Promise<InfraModel | undefined> {
  const { option, parameters } = options
  if (unit.kind === 'module') return readModule(unit, options)
  const source = await readSource(unit.file, option, options)
  if (!unit.isNamed && !isTemplate(source.text)) return undefined
  return readTemplate(source, {
    parameters,
    loadInclude: (path) =>
      isInsideRoot(path, unit.file) ? readSource(path, option, options) : undefined,
  })
}

async function readModule(
  { folder, files }: TemplateUnit & { kind: 'module' },
  options: ReadModelsOptions,
): Promise<InfraModel> {
  const { option, parameters, variables = [] } = options
  const readAll = async (paths: readonly string[], name: string): Promise<TemplateSource[]> => {
    const sources: TemplateSource[] = []
    for (const path of paths) sources.push(await readSource(path, name, options))
    return sources
  }
  const values: (TemplateSource | VariableValue)[] = await readAll(
    listVariableFiles(folder),
    option,
  )
  for (const variable of variables) {
    if ('name' in variable) values.push(variable)
    else values.push(await readSource(variable.variableFile, '--var-file', options))
  }
  return readTemplate(await readAll(files, option), {
    parameters,
    variables: values,
    loadModule: (path) => readAll(listModuleFiles(path), option),
  })
}

/** Whether a tool wrote the file: a Terraform plan, or a template of the AWS CDK or the Serverless Framework. */
export const isGenerated = (file: string, text: string): boolean =>
  /(?:^|[\\/])(?:cdk\.out|\.serverless)[\\/]/.test(file) ||
  (text.includes('"format_version"') && text.includes('"root_module"'))

/** Whether a YAML or JSON file of a searched folder is a CloudFormation template. */
function isTemplate(text: string): boolean {
  if (!text.includes('AWS::')) return false
  if (!/^\s*\{/.test(text)) return /^(["']?)Resources\1[ \t]*:/m.test(text)
  try {
    return Object.hasOwn(JSON.parse(text) as object, 'Resources')
  } catch {
    // The reader reports the error with its position.
    return /"Resources"\s*:/.test(text)
  }
}

/**
 * Whether an included file is a regular file inside of the root, after symbolic links are resolved. The root is the
 * working directory, or the folder of a template outside of it.
 */
function isInsideRoot(file: string, template: string): boolean {
  try {
    const folder = realpathSync(dirname(template))
    const working = realpathSync('.')
    const target = realpathSync(file)
    return (
      isWithin(target, isWithin(folder, working) ? working : folder) && statSync(target).isFile()
    )
  } catch {
    return false
  }
}

function isWithin(path: string, root: string): boolean {
  const steps = relative(root, path)
  return !isAbsolute(steps) && steps.split(sep)[0] !== '..'
}
