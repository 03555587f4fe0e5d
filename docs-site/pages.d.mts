/** A page of the site. */
export interface Page {
  /** Its Markdown file in the repository. */
  readonly source: string
  /** Its path on the site, without extension. */
  readonly name: string
  readonly title: string
  readonly text: string
}

/** A group of the sidebar. */
export interface PageGroup {
  readonly title: string
  readonly pages: readonly Page[]
}

export function listPages(): Page[]
export function groupPages(pages: readonly Page[]): PageGroup[]
export function writePages(pages: readonly Page[], folder: string, repository?: string | undefined): void
