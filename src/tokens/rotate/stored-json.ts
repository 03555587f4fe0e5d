/** Parses JSON of a store. A security primitive: no error of a parser, which would quote the secret. */

/** @returns The members of a JSON object. Empty for other text. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    // No prototype: `constructor` is not a member.
    return Object.assign(Object.create(null), value)
  } catch {
    return {}
  }
}
