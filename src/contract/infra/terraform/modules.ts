/** Loads a Terraform module and the local modules that it calls, and groups their blocks. */
import { dirname, join } from 'node:path'
import { type Position, TemplateError } from '../position.ts'
import { type Block, type Expression, readHcl } from './hcl.ts'
import { readTerraformJson } from './json.ts'
import type { HclParser } from './parser.ts'

/** The name and the text of one file. */
export interface SourceFile {
  readonly file: string
  readonly text: string
}

/** Returns the Terraform files of a folder. Undefined or empty if the folder cannot be read. */
export type LoadModule = (
  folder: string,
) => readonly SourceFile[] | undefined | Promise<readonly SourceFile[] | undefined>

/** The blocks of one module. */
export interface ModuleBlocks {
  readonly variables: ReadonlyMap<string, Block>
  readonly locals: ReadonlyMap<string, Expression>
  /** By address: `aws_cognito_user_pool.orders`. */
  readonly resources: ReadonlyMap<string, Block>
  /** Data sources and module calls, by address: `data.aws_ssm_parameter.pool`, `module.auth`. */
  readonly external: ReadonlyMap<string, Block>
  readonly outputs: ReadonlyMap<string, Block>
  readonly imports: readonly Block[]
  /** Blocks whose expressions may refer to resources too. */
  readonly others: readonly Block[]
}

/** A module with the local modules that it calls. */
export interface ModuleTree {
  readonly blocks: ModuleBlocks
  /** By name of the call. Without modules of a registry or repository, and folders that cannot be read. */
  readonly calls: ReadonlyMap<string, ModuleTree>
  /** The calls that are not in `calls`, and those of the called modules. */
  readonly unread: readonly Block[]
}

/** Longest chain of module calls. */
const MAX_MODULE_DEPTH = 20
/** Most folders with local modules. */
const MAX_FOLDERS = 500
const TERRAFORM_FILE = /\.(?:tf|tofu)(?:\.json)?$/i
/** Files that change blocks of other files. */
const OVERRIDE_FILE = /(?:^|[\\/]|_)override\.(?:tf|tofu)(?:\.json)?$/
const EXTERNAL_BLOCKS = new Set(['data', 'module'])
const OTHER_BLOCKS = new Set(['output', 'module', 'data', 'provider', 'check'])
const LOCAL_SOURCE = /^\.\.?[\\/]/

/** Whether the name is that of a Terraform or OpenTofu file. */
export const isTerraformFile = (file: string): boolean => TERRAFORM_FILE.test(file)

/**
 * Loads a root module and, recursively, the local modules that it calls.
 *
 * @param loadModule Undefined: no local module is loaded.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if a file is not well-formed, or modules call each other in a cycle.
 */
export async function loadModules(
  parser: HclParser,
  sources: readonly SourceFile[],
  loadModule: LoadModule | undefined,
): Promise<ModuleTree> {
  /** Finished modules by folder. A folder that is called twice is read once. */
  const finished = new Map<string, ModuleTree | undefined>()

  async function load(files: readonly SourceFile[], chain: readonly string[]): Promise<ModuleTree> {
    const blocks = groupBlocks(await readFiles(parser, files))
    const calls = new Map<string, ModuleTree>()
    const moduleBlocks = [...blocks.external.values()].filter(({ type }) => type === 'module')
    for (const call of moduleBlocks) {
      const folder = findLocalFolder(call)
      const tree = folder === undefined ? undefined : await loadCalled(folder, call.at, chain)
      if (tree !== undefined) calls.set(call.labels.join('.'), tree)
    }
    // Without duplicates: modules that call others twice would double the list at each step.
    const unread = new Set([
      ...moduleBlocks.filter(({ labels }) => !calls.has(labels.join('.'))),
      ...[...calls.values()].flatMap((tree) => tree.unread),
    ])
    return { blocks, calls, unread: [...unread] }
  }

  async function loadCalled(
    folder: string,
    at: Position,
    chain: readonly string[],
  ): Promise<ModuleTree | undefined> {
    checkChain(chain, folder, at)
    if (finished.has(folder)) return finished.get(folder)
    if (finished.size >= MAX_FOLDERS)
      throw new TemplateError(
        at,
        `expected at most ${MAX_FOLDERS} local modules, got more. Check fewer modules at once.`,
      )
    const files = (await loadModule?.(folder)) ?? []
    const tree = files.length === 0 ? undefined : await load(files, [...chain, folder])
    finished.set(folder, tree)
    return tree
  }

  const folders = new Set(sources.map(({ file }) => join(dirname(file), '.')))
  return load(sources, [...folders])
}

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` at a call that would never end. */
function checkChain(chain: readonly string[], folder: string, at: Position): void {
  if (chain.includes(folder))
    throw new TemplateError(
      at,
      'expected modules that do not call each other in a cycle, got a cycle. Remove one call.',
    )
  if (chain.length <= MAX_MODULE_DEPTH) return
  throw new TemplateError(
    at,
    `expected at most ${MAX_MODULE_DEPTH} nested module calls, got more. Call fewer modules in a chain.`,
  )
}

/** Returns the folder of a local module, relative to the file with the call. Undefined for remote modules. */
function findLocalFolder({ at, attributes }: Block): string | undefined {
  const source = attributes.get('source')
  const path = source?.kind === 'literal' ? String(source.value) : ''
  return LOCAL_SOURCE.test(`${path}/`) ? join(dirname(at.file), path, '.') : undefined
}

async function readFiles(
  parser: HclParser,
  sources: readonly SourceFile[],
): Promise<readonly Block[]> {
  const names = new Set(sources.map(({ file }) => file))
  const blocks: Block[] = []
  const overrides: Block[] = []
  for (const { file, text } of sources) {
    // OpenTofu ignores `main.tf` if there is a `main.tofu`.
    const tofu = file.replace(/\.tf((?:\.json)?)$/i, '.tofu$1')
    if (tofu !== file && names.has(tofu)) continue
    const json = /\.json$/i.test(file)
    const read = json ? await readTerraformJson(parser, file, text) : readHcl(parser, file, text)
    const target = OVERRIDE_FILE.test(file) ? overrides : blocks
    for (const block of read.blocks) target.push(block)
  }
  return overrides.length === 0 ? blocks : mergeOverrides(blocks, overrides)
}

/** Merges override files into the blocks that they name. */
function mergeOverrides(blocks: readonly Block[], overrides: readonly Block[]): readonly Block[] {
  const toKey = ({ type, labels }: Block): string => JSON.stringify([type, ...labels])
  const indexes = new Map(blocks.map((block, index) => [toKey(block), index]))
  const merged = [...blocks]
  for (const override of overrides) {
    const index = override.type === 'locals' ? undefined : indexes.get(toKey(override))
    if (index === undefined) merged.push(override)
    else merged[index] = mergeBlock(merged[index] as Block, override)
  }
  return merged
}

/** Arguments replace those with the same name, and blocks all of the same type. */
function mergeBlock(base: Block, { attributes, blocks }: Block): Block {
  const types = new Set(blocks.map(getBlockType))
  return {
    ...base,
    attributes: new Map([...base.attributes, ...attributes]),
    blocks: [...base.blocks.filter((block) => !types.has(getBlockType(block))), ...blocks],
  }
}

/** The type of the blocks that it is, or that a `dynamic` block generates. */
const getBlockType = ({ type, labels }: Block): string | undefined =>
  type === 'dynamic' ? labels[0] : type

function groupBlocks(blocks: readonly Block[]): ModuleBlocks {
  const variables = new Map<string, Block>()
  const locals = new Map<string, Expression>()
  const resources = new Map<string, Block>()
  const external = new Map<string, Block>()
  const outputs = new Map<string, Block>()
  const imports: Block[] = []
  const others: Block[] = []
  for (const block of blocks) {
    const name = block.labels.join('.')
    if (block.type === 'resource') {
      if (resources.has(name))
        throw new TemplateError(
          block.at,
          'expected a unique resource name, got a repeated one. Rename one of the two.',
        )
      resources.set(name, block)
    } else if (block.type === 'variable') variables.set(name, block)
    else if (block.type === 'locals') {
      for (const [key, expression] of block.attributes) locals.set(key, expression)
    } else if (OTHER_BLOCKS.has(block.type)) others.push(block)
    if (block.type === 'output') outputs.set(name, block)
    if (block.type === 'import') imports.push(block)
    // A check block may contain data sources.
    for (const one of [block, ...(block.type === 'check' ? block.blocks : [])]) {
      if (EXTERNAL_BLOCKS.has(one.type)) external.set(`${one.type}.${one.labels.join('.')}`, one)
    }
  }
  return { variables, locals, resources, external, outputs, imports, others }
}
