/** Replaces the table of the mutation run in docs/check.md, and its number of units. */
const TABLE = /^\| mistake \|.*\n(?:\|.*\n)+/m

export function replaceTable(page, table) {
  if (!TABLE.test(page)) throw new Error('docs/check.md: expected a table with the column mistake')
  return page.replace(TABLE, () => table)
}
