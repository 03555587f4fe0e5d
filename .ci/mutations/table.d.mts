/** Replaces the table of the mutation run in a page. */
export function replaceTable(page: string, table: string): string
