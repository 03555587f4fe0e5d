/** Loads the HCL parser, two optional peer dependencies with WebAssembly, for the first Terraform file. */
import { createRequire } from 'node:module'
import type { Tree } from 'web-tree-sitter'
import { OptionError } from '../../../core/options/validate.ts'

/** Parses text. The caller must delete the tree, which is not garbage-collected. */
export type HclParser = (text: string) => Tree

const RUNTIME = 'web-tree-sitter'
const GRAMMAR = '@tree-sitter-grammars/tree-sitter-hcl'

let loading: Promise<HclParser> | undefined

/** Loads one parser for the process. A failed load is retried on the next call. */
export function loadHclParser(): Promise<HclParser> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<HclParser> {
  try {
    const { Language, Parser } = await import('web-tree-sitter')
    await Parser.init()
    // Only the grammar file is needed. The JavaScript of its package loads a native module.
    const grammar = createRequire(import.meta.url).resolve(`${GRAMMAR}/tree-sitter-hcl.wasm`)
    const parser = new Parser().setLanguage(await Language.load(grammar))
    return (text) => parser.parse(text) as Tree
  } catch {
    throw new OptionError(
      'sources',
      `expected an installed parser for Terraform files, got none. Run "npm install ${RUNTIME} ${GRAMMAR}".`,
    )
  }
}
