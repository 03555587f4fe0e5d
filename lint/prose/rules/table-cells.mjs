/** textlint rule: characters a table cell may have, as a reader sees them: with code, without addresses of links. */
export default function tableCells(context, { max }) {
  const { RuleError, Syntax, report } = context
  const textOf = (node) => node.value ?? (node.children ?? []).map(textOf).join('')
  return {
    [Syntax.TableCell](cell) {
      const { length } = textOf(cell)
      if (length <= max) return
      report(
        cell,
        new RuleError(
          `table cell of ${length} characters, at most ${max}. Tables are for lookup: move prose below.`,
        ),
      )
    },
  }
}
