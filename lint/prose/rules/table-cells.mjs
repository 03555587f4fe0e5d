/**
 * textlint rule: characters a table cell may have, as a reader sees them: with code, without addresses of links.
 * A cell that is one code span quotes a text that cannot be shortened, such as a log line.
 */
export default function tableCells(context, { max }) {
  const { RuleError, Syntax, report } = context
  const textOf = (node) => node.value ?? (node.children ?? []).map(textOf).join('')
  return {
    [Syntax.TableCell](cell) {
      const { length } = textOf(cell)
      const isQuote = cell.children.length === 1 && cell.children[0].type === Syntax.Code
      if (length <= max || isQuote) return
      report(
        cell,
        new RuleError(
          `table cell of ${length} characters, at most ${max}. Tables are for lookup: move prose below.`,
        ),
      )
    },
  }
}
