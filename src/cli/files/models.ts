/** Reads the templates of the command line into models, one after the other. */
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path'
import type { InfraModel, VariableValue } from '../../contract/infra/index.ts'
import {
  readTemplateInputs,
  type TemplateInputs,
  type TemplateSource,
} from '../../contract/infra/read.ts'
import { isTerraformFile } from '../../contract/infra/terraform/modules.ts'
import { OptionError } from '../../core/options/validate.ts'
import { identifyFile, quoteFile, statIfExists, type VariableFlag } from './flags.ts'
import { listUndeclared, rejectUndeclared } from './inputs.ts'
import { readText } from './read.ts'

/** The files of one Terraform module. */
interface ModuleUnit {
  readonly kind: 'module'
  readonly folder: string
  readonly files: readonly string[]
  /** The folders of the command line in which it was found. */
  readonly folders: readonly string[]
}

interface FileUnit {
  readonly kind: 'template'
  readonly file: string
  /** Whether the file is a template for sure. Otherwise it may be any YAML or JSON file of a folder. */
  readonly isNamed: boolean
  /** The folders of the command line in which it was found. */
  readonly folders: readonly string[]
}

/** Files that are read together. */
type TemplateUnit = ModuleUnit | FileUnit

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
  for (const unit of names.flatMap((name) => listName(name, option))) addUnit(units, unit)
  return [...units.values()]
}

/** Adds a unit once. The first spelling of its path counts. */
function addUnit(units: Map<string, TemplateUnit>, unit: TemplateUnit): void {
  const key =
    unit.kind === 'module' ? `module ${identifyFile(unit.folder)}` : identifyFile(unit.file)
  const first = units.get(key)
  if (first === undefined) {
    units.set(key, unit)
    return
  }
  const folders = [...first.folders, ...unit.folders]
  if (unit.kind === 'template') {
    const isNamed = unit.isNamed || (first as FileUnit).isNamed
    units.set(key, { ...(first as FileUnit), isNamed, folders })
  } else {
    const { files } = first as ModuleUnit
    const known = new Set(files.map(identifyFile))
    const added = unit.files.filter((file) => !known.has(identifyFile(file)))
    units.set(key, { ...(first as ModuleUnit), files: [...files, ...added], folders })
  }
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
      ? [{ kind: 'module', folder: dirname(name), files: [name], folders: [] }]
      : [{ kind: 'template', file: name, isNamed: true, folders: [] }]
  }
  const files = listModuleFiles(name)
  return files.length > 0
    ? [{ kind: 'module', folder: name, files, folders: [name] }]
    : searchFolder(name, name)
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
    return [
      { kind: 'template', file: join(folder, SERVERLESS_FILE), isNamed: true, folders: [root] },
    ]
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
      units.push({ kind: 'template', file: path, isNamed: false, folders: [root] })
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
      folders: [root],
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

interface ReadModelsOptions {
  /** Name of the option in messages. */
  readonly option: string
  /** Values of parameters and variables, by name. */
  readonly parameters: Readonly<Record<string, string>>
  /** The names among them that a template must declare: those of `--parameter`. */
  readonly requiredNames?: readonly string[]
  /** The names among them of the configuration, which a template should declare. */
  readonly configuredNames?: readonly string[]
  /** Called with one line for each warning: a value of a file that has no effect. */
  readonly onWarning?: (warning: string) => void
  /** In the order of the command line. */
  readonly variables?: readonly VariableFlag[]
  readonly signal: AbortSignal
  /** Texts by file name, which are used instead of the files. The texts of other files are added. */
  readonly cache?: Map<string, string> | undefined
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
  const inputs: TemplateInputs[] = []
  const empty = new Set(names.filter((name) => statIfExists(name)?.isDirectory()))
  for (const unit of listTemplates(names, option)) {
    const one = await readUnit(unit, options)
    if (one === undefined) continue
    inputs.push(one)
    for (const folder of unit.folders) empty.delete(folder)
  }
  const [folder] = empty
  if (folder !== undefined) {
    throw new OptionError(
      option,
      `expected a folder with templates, got ${quoteFile(folder)}. Name the templates, or the folder of a Terraform module.`,
    )
  }
  checkNames(inputs, options)
  return inputs.map(({ model }) => model)
}

/** @throws {OptionError} for a parameter or variable of the command line that no template declares. */
function checkNames(inputs: readonly TemplateInputs[], options: ReadModelsOptions): void {
  const { requiredNames = [], configuredNames = [], variables = [], onWarning } = options
  const names = variables.flatMap((variable) => ('name' in variable ? [variable.name] : []))
  rejectUndeclared(inputs, { parameters: requiredNames, variables: names })
  for (const warning of listUndeclared(inputs, configuredNames)) onWarning?.(warning)
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
): Promise<TemplateInputs | undefined> {
  const { option, parameters } = options
  if (unit.kind === 'module') return readModule(unit, options)
  const source = await readSource(unit.file, option, options)
  if (!unit.isNamed && !isTemplate(source.text)) return undefined
  return readTemplateInputs(source, {
    parameters,
    loadInclude: (path) =>
      isInsideRoot(path, unit.file) ? readSource(path, option, options) : undefined,
  })
}

async function readModule(
  { folder, files }: ModuleUnit,
  options: ReadModelsOptions,
): Promise<TemplateInputs> {
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
  return readTemplateInputs(await readAll(files, option), {
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
