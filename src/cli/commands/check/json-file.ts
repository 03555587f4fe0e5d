/** Reads JSON files of the user with the position and the path of each member, for messages. */
import { type Position, TemplateError, type TemplateSource } from '../../../contract/infra/index.ts'
import type { Tree } from '../../../contract/infra/syntax/tree.ts'
import { readPlain } from '../../../contract/infra/syntax/yaml.ts'
import { describeValue } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'

/** A member of an object, or an item of an array. */
export interface Member {
  readonly at: Position
  /** Undefined if it is missing. Then `at` is the position of the object. */
  readonly tree: Tree | undefined
  /** `severities.scope-unused`, `pools[1]`. */
  readonly path: string
}

/** An object whose members are all known. */
export interface JsonObject {
  readonly at: Position
  readonly get: (name: string) => Member
  readonly names: readonly string[]
}

/** Longest name in a message, in characters. */
const MAX_NAME_LENGTH = 60

export function failAt({ at, path }: Member, expected: string, got: string, fix: string): never {
  throw new TemplateError(at, `${path}: expected ${expected}, got ${got}. ${fix}`)
}

const describeTree = (tree: Tree | undefined): string => {
  if (tree === undefined) return 'none'
  if (tree.kind === 'scalar') return describeValue(tree.value)
  return tree.kind === 'list' ? 'an array' : 'an object'
}

/**
 * Reads the object of a file.
 *
 * @throws {TemplateError} if the text is not JSON, or an object with other members.
 */
export async function readMembers(
  { file, text }: TemplateSource,
  names: readonly string[],
): Promise<JsonObject> {
  const tree = await readPlain(`${file}`, text)
  return readObject({ at: tree.at, tree, path: '' }, names)
}

/** @param names The known members. Undefined if every name is valid. */
export function readObject(member: Member, names?: readonly string[]): JsonObject {
  const { at, tree, path } = member
  if (tree?.kind !== 'map') {
    const label = path === '' ? { ...member, path: 'the file' } : member
    return failAt(label, 'an object', describeTree(tree), 'Write an object.')
  }
  const prefix = path === '' ? '' : `${path}.`
  for (const [name, entry] of tree.entries) {
    if (names === undefined || names.includes(name)) continue
    const unknown = {
      ...entry,
      tree: entry.value,
      path: toPrintable(prefix + name, MAX_NAME_LENGTH),
    }
    failAt(unknown, `one of ${names.join(', ')}`, 'an unknown name', 'Rename or remove it.')
  }
  return {
    at,
    names: [...tree.entries.keys()],
    get(name) {
      const entry = tree.entries.get(name)
      const shown = toPrintable(prefix + name, MAX_NAME_LENGTH)
      return { at: entry?.at ?? at, tree: entry?.value, path: shown }
    },
  }
}

/** Reads an array. Empty if the member is missing. */
export function readItems(member: Member): readonly Member[] {
  const { tree, path } = member
  if (tree === undefined) return []
  if (tree.kind !== 'list') return failAt(member, 'an array', describeTree(tree), 'Write an array.')
  return tree.items.map((item, index) => ({ at: item.at, tree: item, path: `${path}[${index}]` }))
}

/** Reads an array of objects with these members. Empty if the member is missing. */
export const readTreeItems = (member: Member, names: readonly string[]): readonly JsonObject[] =>
  readItems(member).map((item) => readObject(item, names))

/** Reads a string that is not blank. */
export function readString(member: Member): string {
  const { tree } = member
  if (tree?.kind === 'scalar' && typeof tree.value === 'string' && tree.value.trim() !== '')
    return tree.value
  return failAt(member, 'a string', describeTree(tree), 'Write text in quotes.')
}

/** Reads a string, or undefined if the member is missing. */
export const readOptionalString = (member: Member): string | undefined =>
  member.tree === undefined ? undefined : readString(member)

/** Reads a number in a range, or undefined if the member is missing. */
export function readOptionalNumber(member: Member, min: number, max: number): number | undefined {
  const { tree } = member
  if (tree === undefined) return undefined
  const value = tree.kind === 'scalar' ? tree.value : undefined
  if (typeof value === 'number' && value >= min && value <= max) return value
  return failAt(
    member,
    `a number from ${min} to ${max}`,
    describeTree(tree),
    'Write a number in that range.',
  )
}

/** Reads one of several words. */
export function readChoice<Choice extends string>(
  member: Member,
  choices: readonly Choice[],
): Choice {
  const { tree } = member
  const choice = choices.find((word) => tree?.kind === 'scalar' && tree.value === word)
  return choice ?? failAt(member, choices.join(', '), describeTree(tree), 'Write one of them.')
}
