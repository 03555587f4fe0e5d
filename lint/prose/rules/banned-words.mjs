/** textlint rule: words and phrases of words.yaml, outside of code. */
import { flatten } from './flatten.mjs'

export default function bannedWords(context, { words }) {
  const { RuleError, Syntax, report, getSource, locator } = context
  const check = (block) => {
    const { text, offsets } = flatten(block, getSource())
    for (const { pattern, name, use } of words) {
      for (const match of text.matchAll(pattern)) {
        const start = offsets[match.index] - block.range[0]
        const end = offsets[match.index + match[0].length - 1] + 1 - block.range[0]
        const found = match[0].replaceAll(/\s+/g, ' ')
        const message = `"${found}" is banned (${name}). Write ${use}.`
        report(block, new RuleError(message, { padding: locator.range([start, end]) }))
      }
    }
  }
  return {
    [Syntax.Paragraph]: check,
    [Syntax.Header]: check,
    [Syntax.TableCell]: check,
  }
}
