/** Lists the templates in files and folders of the command line. It reads no template. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { isTerraformFile } from '../../contract/infra/terraform/modules.ts'
import { OptionError } from '../../core/options/validate.ts'
import { quoteFile, statIfExists } from './flags.ts'

/** Files that are read together. */
export type TemplateUnit =
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
export function listTemplates(names: readonly string[], option: string): readonly TemplateUnit[] {
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
export function listModuleFiles(folder: string): readonly string[] {
  return listFolder(folder)
    .filter((entry) => isTerraformFile(entry.name) && !entry.isDirectory())
    .map(({ name }) => join(folder, name))
}

/** Lists the variable files that Terraform loads automatically, in its order. */
export function listVariableFiles(folder: string): readonly string[] {
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
