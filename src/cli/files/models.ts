/** Reads the templates of the command line into models, one after the other. */
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path'
import type { Command } from 'commander'
import { type InfraModel, readTemplate, type VariableValue } from '../../contract/infra/index.ts'
import type { TemplateSource } from '../../contract/infra/read.ts'
import { isTerraformFile } from '../../contract/infra/terraform/modules.ts'
import { OptionError } from '../../core/options/validate.ts'
import { quoteFile, readPair, statIfExists } from './flags.ts'
import { readText } from './read.ts'

/** Files that are read together. */
type TemplateUnit =
  /** The files of one Terraform module. */
  | { readonly kind: 'module'; readonly folder: string; readonly files: readonly string[] }
  | {
      readonly kind: 'template'
      readonly file: string
      /** Whether the file is a template for sure. Otherwise it may be any YAML or JSON file of `folder`. */
      readonly isNamed: boolean
      /** The folder of the command line in which the file was found. */
      readonly folder?: string
    }

/** Larger files cannot be templates: CloudFormation accepts 1 MiB of text. */
const MAX_TEMPLATE_BYTES = 4_194_304
const TEMPLATE_FILE = /\.(?:ya?ml|json|template)$/i
/** Template of the stack that the Serverless Framework leaves in `.serverless`. */
const SERVERLESS_FILE = 'cloudformation-template-update-stack.json'
const SKIPPED_FOLDERS = /^(?:\..*|node_modules)$/

/**
 * Lists templates: each file, and for a folder one of these:
 *
 * - its Terraform files, as one module
 * - the stacks of a cloud assembly of the AWS CDK (`cdk.out`)
 * - the template of the Serverless Framework (`.serverless`)
 * - all YAML and JSON files, with those of its subfolders
 *
 * @param names Files and folders, relative to the working directory.
 * @param option Name of the option in messages.
 * @throws {OptionError} for a file that does not exist.
 */
function listTemplates(names: readonly string[], option: string): readonly TemplateUnit[] {
  const units = new Map<string, TemplateUnit>()
  for (const unit of names.flatMap((name) => listName(name, option))) {
    if (unit.kind === 'template') {
      const path = normalize(unit.file)
      const isNamed = unit.isNamed || (units.get(path) as typeof unit | undefined)?.isNamed === true
      units.set(path, { ...units.get(path), ...unit, isNamed })
    } else {
      const key = normalize(`${unit.folder}/`)
      const before = units.get(key)
      const known = before?.kind === 'module' ? before.files : []
      const paths = new Set(known.map((file) => normalize(file)))
      const added = unit.files.filter((file) => !paths.has(normalize(file)))
      units.set(key, { ...unit, files: [...known, ...added] })
    }
  }
  return [...units.values()]
}

function listName(name: string, option: string): readonly TemplateUnit[] {
  const stat = statIfExists(name)
  if (stat === undefined)
    throw new OptionError(
      option,
      `expected an existing file, got ${quoteFile(name)}. Correct the path.`,
    )
  if (!stat.isDirectory()) {
    return isTerraformFile(name)
      ? [{ kind: 'module', folder: dirname(name), files: [name] }]
      : [{ kind: 'template', file: name, isNamed: true }]
  }
  const files = listModuleFiles(name)
  return files.length > 0 ? [{ kind: 'module', folder: name, files }] : searchFolder(name, name)
}

/** Lists the Terraform files of a folder. Empty if there is no such folder. */
function listModuleFiles(folder: string): readonly string[] {
  return listFolder(folder)
    .filter((entry) => isTerraformFile(entry.name) && !entry.isDirectory())
    .map(({ name }) => join(folder, name))
}

/** Lists the variable files that Terraform loads automatically, in its order. */
function listVariableFiles(folder: string): readonly string[] {
  const names = listFolder(folder).map(({ name }) => name)
  const automatic = names.filter((name) => /\.auto\.tfvars(?:\.json)?$/.test(name))
  const standard = ['terraform.tfvars', 'terraform.tfvars.json']
  return [...standard.filter((name) => names.includes(name)), ...automatic].map((name) =>
    join(folder, name),
  )
}

/** Lists the entries of a folder by name. Empty if it cannot be read. */
function listFolder(folder: string): readonly Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.sort((a, b) => Number(a.name > b.name) - Number(a.name < b.name))
  } catch {
    return []
  }
}

/** Searches a folder. Follows no symbolic links, so the search ends. */
function searchFolder(folder: string, root: string): readonly TemplateUnit[] {
  const entries = listFolder(folder)
  if (entries.some(({ name }) => name === SERVERLESS_FILE))
    return [{ kind: 'template', file: join(folder, SERVERLESS_FILE), isNamed: true, folder: root }]
  const assembly = entries.some(({ name }) => name === 'manifest.json')
    ? listAssembly(folder, entries, root)
    : undefined
  if (assembly !== undefined) return assembly
  const units: TemplateUnit[] = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      // Pushed one by one: spreading a large array overflows the stack.
      if (!SKIPPED_FOLDERS.test(entry.name))
        for (const unit of searchFolder(path, root)) units.push(unit)
    } else if (entry.isFile() && TEMPLATE_FILE.test(entry.name) && isSmall(path))
      units.push({ kind: 'template', file: path, isNamed: false, folder: root })
  }
  return units
}

const isSmall = (file: string): boolean => statSync(file).size <= MAX_TEMPLATE_BYTES

interface Artifact {
  readonly type?: unknown
  readonly properties?: { readonly templateFile?: unknown; readonly directoryName?: unknown }
}

/**
 * Lists the templates of a cloud assembly: those of its stacks, of their nested stacks, and of nested assemblies.
 *
 * @returns Undefined if `manifest.json` is another kind of file.
 */
function listAssembly(
  folder: string,
  entries: readonly Dirent[],
  root: string,
): readonly TemplateUnit[] | undefined {
  const artifacts = readArtifacts(join(folder, 'manifest.json'))
  if (artifacts === undefined) return undefined
  const files: string[] = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.nested.template.json'))
    .map(({ name }) => name)
  const nested: TemplateUnit[] = []
  for (const artifact of artifacts) {
    const { type, properties } = artifact ?? {}
    const { templateFile, directoryName } = properties ?? {}
    if (type === 'aws:cloudformation:stack' && isInside(templateFile)) files.push(templateFile)
    if (type !== 'cdk:cloud-assembly' || !isInside(directoryName)) continue
    const path = join(folder, directoryName)
    for (const unit of listAssembly(path, listFolder(path), root) ?? []) nested.push(unit)
  }
  const units = files.map(
    (file): TemplateUnit => ({
      kind: 'template',
      file: join(folder, file),
      isNamed: true,
      folder: root,
    }),
  )
  return [...units, ...nested]
}

function readArtifacts(file: string): readonly (Artifact | null)[] | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const { version, artifacts } = manifest as { version?: unknown; artifacts?: unknown }
    if (typeof version !== 'string' || typeof artifacts !== 'object' || artifacts === null) return
    return Object.values(artifacts)
  } catch {
    return undefined
  }
}

/** Whether the path is a relative one that stays below its folder. */
const isInside = (path: unknown): path is string =>
  typeof path === 'string' &&
  path !== '' &&
  !isAbsolute(path) &&
  !normalize(path).split(/[\\/]/).includes('..') &&
  normalize(path) !== '.'

/** `--var` or `--var-file`. */
export type VariableFlag = VariableValue | { readonly variableFile: string }

interface ReadModelsOptions {
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
