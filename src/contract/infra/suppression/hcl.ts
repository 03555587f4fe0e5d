/** Lists the comments of HCL files, and the lines that they apply to. */
import type { Node } from 'web-tree-sitter'
import { loadHclParser } from '../terraform/parser.ts'
import { createLineIndex, findTarget } from './lines.ts'
import type { Comment } from './suppression.ts'

/** Nodes that a comment may precede. An expression is an item of a list, or part of one of the others. */
const ELEMENTS: ReadonlySet<string> = new Set(['block', 'attribute', 'object_elem', 'expression'])

export async function listHclComments(file: string, text: string): Promise<Comment[]> {
  const parser = await loadHclParser()
  const tree = parser(text)
  const index = createLineIndex(text)
  const elements = new Map<number, number>()
  const nodes: Node[] = []
  const pending: Node[] = [tree.rootNode]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === 'comment') nodes.push(node)
    else if (ELEMENTS.has(node.type)) index.addElement(elements, node.startIndex, node.endIndex)
    pending.push(...node.namedChildren)
  }
  const comments = nodes.map((node): Comment => {
    const firstLine = index.lineAt(node.startIndex)
    const lastLine = index.lineAt(node.endIndex - 1)
    return {
      at: index.positionAt(file, node.startIndex),
      text: node.text.replace(/^(?:#|\/\/|\/\*)/, '').replace(/\*\/$/, ''),
      target: findTarget(index, elements, firstLine, lastLine),
    }
  })
  tree.delete()
  return comments
}
