/** Writes JSON values as HCL expressions, in the format of `terraform fmt`. */

/** @param level Depth of the value in the file. Strings may contain templates: `${…}` is not escaped. */
export function toHcl(value: unknown, level: number): string {
  if (Array.isArray(value)) return writeList(value, level)
  if (typeof value === 'object' && value !== null) return writeObject(value, level)
  return JSON.stringify(value)
}

function writeList(items: readonly unknown[], level: number): string {
  if (items.every((item) => !isNested(item))) {
    const line = `[${items.map((item) => toHcl(item, level)).join(', ')}]`
    if (line.length < 100) return line
  }
  const lines = items.map((item) => `${indent(level + 1)}${toHcl(item, level + 1)},`)
  return `[\n${lines.join('\n')}\n${indent(level)}]`
}

function writeObject(value: object, level: number): string {
  const members = Object.entries(value)
  const width = Math.max(
    ...members.filter(([, it]) => !isNested(it)).map(([name]) => name.length),
    0,
  )
  const lines = members.map(([name, member]) => {
    const key = isNested(member) ? name : name.padEnd(width)
    return `${indent(level + 1)}${key} = ${toHcl(member, level + 1)}`
  })
  return `{\n${lines.join('\n')}\n${indent(level)}}`
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function indent(level: number): string {
  return '  '.repeat(level)
}
