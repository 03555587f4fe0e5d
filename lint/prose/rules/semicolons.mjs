/** textlint rule: semicolons a paragraph or table cell may have. */
import { flatten } from './flatten.mjs'

export default function semicolons(context, { max }) {
  const { RuleError, Syntax, report, getSource, locator } = context
  const check = (block) => {
    const { text, offsets } = flatten(block, getSource())
    const found = [...text.matchAll(/;/g)]
    if (found.length <= max) return
    const message = `${found.length} semicolons in a paragraph, at most ${max}. Start a new sentence.`
    const start = offsets[found[max].index] - block.range[0]
    report(block, new RuleError(message, { padding: locator.at(start) }))
  }
  return { [Syntax.Paragraph]: check, [Syntax.TableCell]: check }
}
