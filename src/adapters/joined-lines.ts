/** Several Authorization lines that were joined into one value, by `Headers` or by API Gateway. */

/**
 * Lines are joined with commas, so a second credential shows only as a comma. A comma inside a quoted parameter
 * is no joint, unless its quote never ends.
 *
 * @returns More than one value for what may have been several lines: a guard rejects that.
 */
export function splitJoinedLines(value: string): string | readonly string[] {
  return value.includes(',') && hasJoint(value) ? value.split(',') : value
}

/** Takes time linear in the length: callers choose the value. */
function hasJoint(value: string): boolean {
  let isQuoted = false
  let hasQuotedComma = false
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index]
    if (character === '"') {
      isQuoted = !isQuoted
      hasQuotedComma = false
    } else if (character === '\\' && isQuoted) {
      index += 1
    } else if (character === ',') {
      if (!isQuoted) return true
      hasQuotedComma = true
    }
  }
  return isQuoted && hasQuotedComma
}
