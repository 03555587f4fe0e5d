/** Adds a resource to `depends_on` of another one, in HCL. */
import type { Node } from 'web-tree-sitter'
import { loadHclParser } from '../../../../contract/infra/terraform/parser.ts'
import { type Edit, getIndent, getLineBreak } from './edit.ts'

/**
 * @param address `aws_cognito_user_pool_client.orders`, as in the file.
 * @returns Undefined if the block is not written in a form that this function can change.
 */
export async function addHclDependsOn(
  text: string,
  address: string,
  dependency: string,
): Promise<Edit | undefined> {
  const parser = await loadHclParser()
  const tree = parser(text)
  const block = findResource(tree.rootNode, address)
  const edit = block && editBlock(text, block, dependency)
  tree.delete()
  return edit
}

function findResource(root: Node, address: string): Node | undefined {
  const blocks = root.namedChildren.flatMap((body) => body.namedChildren)
  return blocks.find(({ type, namedChildren }) => {
    const [keyword, ...rest] = namedChildren.map((child) => child.text)
    const labels = rest.slice(0, 2).map((label) => label.replaceAll('"', ''))
    return type === 'block' && keyword === 'resource' && labels.join('.') === address
  })
}

function editBlock(text: string, block: Node, dependency: string): Edit | undefined {
  const body = block.namedChildren.find(({ type }) => type === 'body')
  const existing = body?.namedChildren.find(
    ({ type, namedChildren }) => type === 'attribute' && namedChildren[0]?.text === 'depends_on',
  )
  if (existing !== undefined) return extendList(existing, dependency)
  const end = block.endIndex - 1
  const lineStart = text.lastIndexOf('\n', end) + 1
  const indent = getIndent(text, end)
  // The closing brace is alone on its line, or else the block has one line.
  if (lineStart + indent.length !== end) return undefined
  const line = `${indent}  depends_on = [${dependency}]${getLineBreak(text)}`
  return { start: lineStart, end: lineStart, text: line }
}

/** Adds an item after the last one of a list. */
function extendList(attribute: Node, dependency: string): Edit | undefined {
  const [list] = attribute.descendantsOfType('tuple')
  const last = list?.namedChildren.filter(({ type }) => type === 'expression').at(-1)
  if (last === undefined) return undefined
  return { start: last.endIndex, end: last.endIndex, text: `, ${dependency}` }
}
