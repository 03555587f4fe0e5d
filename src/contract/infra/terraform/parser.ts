/** Loads the parser of HCL: two optional peers, WebAssembly, when the first Terraform file is read. */
import { createRequire } from 'node:module'
import type { Tree } from 'web-tree-sitter'
import { OptionError } from '../../../core/options/validate.ts'

/** Text → syntax tree; who asks deletes it. */
export type HclParser = (text: string) => Tree

const RUNTIME = 'web-tree-sitter'
const GRAMMAR = '@tree-sitter-grammars/tree-sitter-hcl'

let loading: Promise<HclParser> | undefined

/** One parser for the process: what fails to load is tried again. */
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
    // Its JavaScript loads a native module; the grammar beside it is all that is needed.
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
