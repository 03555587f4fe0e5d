/** Reads values of Terraform variables: `.tfvars` files, and values of the command line. */
import type { UndeclaredValue } from '../model/model.ts'
import { type Position, TemplateError } from '../position.ts'
import { readMap } from '../syntax/tree.ts'
import { readPlain } from '../syntax/yaml.ts'
import { type Block, type Expression, readHcl, readValue } from './hcl.ts'
import { toExpression } from './json.ts'
import type { SourceFile } from './modules.ts'
import type { HclParser } from './parser.ts'

/** A `.tfvars` or `.tfvars.json` file, or one value. */
export type VariableInput = SourceFile | { readonly name: string; readonly value: string }

/** The values of variables, and those of files that are for no variable. */
interface ReadVariables {
  readonly values: ReadonlyMap<string, Expression>
  readonly undeclared: readonly UndeclaredValue[]
}

const PRIMITIVE_TYPES = new Set(['string', 'number', 'bool'])

/**
 * Reads values in order. Later ones override earlier ones.
 *
 * @param variables The declarations of the root module, by name.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if a file is not well-formed, or a value is not an HCL expression.
 */
export async function readVariables(
  parser: HclParser,
  variables: ReadonlyMap<string, Block>,
  inputs: readonly VariableInput[],
): Promise<ReadVariables> {
  const values = new Map<string, Expression>()
  const undeclared: UndeclaredValue[] = []
  for (const input of inputs) {
    if ('file' in input) {
      const { file } = input
      for (const [name, expression] of await readVariableFile(parser, input)) {
        values.set(name, expression)
        if (!variables.has(name)) undeclared.push({ file, name })
      }
    } else {
      const { name, value } = input
      values.set(name, parseValue(parser, variables.get(name), value))
    }
  }
  return { values, undeclared }
}

/** Parses values of lists and maps as HCL, as the `-var` option of Terraform does. Other values are text. */
function parseValue(parser: HclParser, variable: Block | undefined, text: string): Expression {
  const { at = { file: '', line: 1, column: 1 }, attributes } = variable ?? {}
  const type = attributes?.get('type')
  const word = type?.kind === 'name' ? type.name : type?.kind === 'literal' ? type.value : ''
  const isText = type === undefined || PRIMITIVE_TYPES.has(String(word))
  return isText ? { kind: 'literal', at, value: text } : readValue(parser, at, text)
}

async function readVariableFile(
  parser: HclParser,
  { file, text }: SourceFile,
): Promise<ReadonlyMap<string, Expression>> {
  if (/\.json$/i.test(file)) {
    const entries = readMap(await readPlain(file, text))
    return new Map([...entries].map(([name, { value }]) => [name, toExpression(value, new Map())]))
  }
  const { attributes, blocks } = readHcl(parser, file, text)
  const [block] = blocks
  if (block !== undefined) failAt(block.at, 'a block. Assign a value to each variable')
  for (const expression of attributes.values()) checkLiteral(expression)
  return attributes
}

/** Terraform accepts no reference and no function call in a variable file. */
function checkLiteral(expression: Expression): void {
  for (const part of listParts(expression)) checkLiteral(part)
}

function listParts(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
      return []
    case 'list':
      return expression.items
    case 'object':
      return expression.entries.map(([, value]) => value)
    case 'template':
    case 'other':
      return expression.parts
    default:
      return failAt(expression.at, 'a reference or a function call. Write the value')
  }
}

function failAt(at: Position, found: string): never {
  throw new TemplateError(at, `expected the literal value of a variable, got ${found}.`)
}
