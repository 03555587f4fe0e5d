/** Reads and writes JSON of a store. A security primitive: no error of a parser, which would quote the secret. */

/** @returns The members of a JSON object. Empty for other text. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  return parse(text)
}

/** Replaces a member of a JSON object. Numbers keep their text: a double would round IDs of many digits. */
export function replaceMember(text: string, name: string, value: string): string {
  return JSON.stringify({ ...parse(text, keepNumber), [name]: value })
}

type Reviver = (key: string, value: unknown) => unknown

function parse(text: string, reviver?: Reviver): Readonly<Record<string, unknown>> {
  // No prototype: `constructor` is not a member.
  const members = Object.create(null)
  try {
    const value: unknown = JSON.parse(text, reviver)
    const isList = Array.isArray(value) || typeof value === 'string'
    return isList ? members : Object.assign(members, value)
  } catch {
    return members
  }
}

/** TypeScript does not have these members of JSON yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

const keepNumber = ((_key: string, value: unknown, { source }: { readonly source: string }) =>
  typeof value === 'number' ? rawJSON(source) : value) as Reviver
