/** Parsers: on-demand loading, errors for missing packages, and memory. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { Parser, Tree } from 'web-tree-sitter'
import { readTemplate } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

/** Reads templates in a child process, which logs the packages that it loads. The package `missing` cannot be loaded. */
function readInChild(missing: string, ...sources: { file: string; text: string }[]): unknown {
  const hooks = `const parsers = /^(?:yaml|web-tree-sitter)$/
export async function resolve(specifier, context, next) {
  if (parsers.test(specifier)) process._rawDebug('loads ' + specifier)
  if (specifier === '${missing}') throw Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(specifier, context)
}`
  const data = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`
  const register = `import { register } from 'node:module'; register(${JSON.stringify(data(hooks))})`
  const script = `const { readTemplate } = await import(${JSON.stringify(new URL('../../../../src/contract/infra/index.ts', import.meta.url))})
process._rawDebug('imported')
for (const source of ${JSON.stringify(sources)}) {
  try { process._rawDebug((await readTemplate(source)).dialect) }
  catch (error) { process._rawDebug(error.name + ' ' + error.code + ' ' + error.message) }
}`
  const { status, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, `--import=${data(register)}`, '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: 600_000 },
  )
  t.equal(status, 0, stderr)
  return stderr.trim().split('\n')
}

const yaml = { file: 'a.yaml', text: 'Resources: {}' }
const json = { file: 'a.json', text: '{ "Resources": {} }' }
const terraform = { file: 'a.tf', text: 'locals {}' }

t.test('a parser is loaded when a template needs it', async (t) => {
  t.strictSame(readInChild('', json, yaml, terraform, terraform), [
    ...['imported', 'cloudformation', 'loads yaml', 'cloudformation'],
    ...['loads web-tree-sitter', 'terraform', 'terraform'],
  ])
})

t.test('the error for a missing parser names its packages', async (t) => {
  const missingError =
    'OptionError ERR_OPTION_INVALID cognito-m2m: sources: expected an installed parser for Terraform files, got none. Run "npm install web-tree-sitter @tree-sitter-grammars/tree-sitter-hcl".'
  t.strictSame(readInChild('web-tree-sitter', terraform, terraform, yaml), [
    ...['imported', 'loads web-tree-sitter', missingError, 'loads web-tree-sitter', missingError],
    ...['loads yaml', 'cloudformation'],
  ])
})

t.test('HCL syntax trees are freed, also after errors', async (t) => {
  let liveTrees = 0
  let createdTrees = 0
  const { parse } = Parser.prototype
  const { delete: free } = Tree.prototype
  Parser.prototype.parse = function (this: Parser, ...args: Parameters<Parser['parse']>) {
    liveTrees += 1
    createdTrees += 1
    return parse.apply(this, args)
  } as Parser['parse']
  Tree.prototype.delete = function (this: Tree) {
    liveTrees -= 1
    free.call(this)
  }
  t.teardown(() => {
    Parser.prototype.parse = parse
    Tree.prototype.delete = free
  })
  await readTemplate(terraform)
  await t.rejects(read('a.tf', 'a = '), { code: 'ERR_TEMPLATE_INVALID' })
  await t.rejects(read('a.tf', 'locals {\n a = 1\n a = 2\n}\n'), { code: 'ERR_TEMPLATE_INVALID' })
  await t.rejects(read('a.tf', `a = ${'('.repeat(150)}1${')'.repeat(150)}\n`), {
    code: 'ERR_TEMPLATE_INVALID',
  })
  await t.rejects(read('a.tf.json', '{ "locals": { "a": "${" } }'), {
    code: 'ERR_TEMPLATE_INVALID',
  })
  t.strictSame([createdTrees, liveTrees], [5, 0])
})
