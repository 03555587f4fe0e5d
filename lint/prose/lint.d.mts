/** A sentence, word or table cell that breaks a rule, at its place in the file. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly rule: 'banned-words' | 'sentence-length' | 'semicolons' | 'table-cells'
  readonly message: string
}

/** `file` decides how `source`, by default its content, is read: `.md`, or `.ts` and `.mjs`. */
export function lint(file: string, source?: string): Promise<Finding[]>
