/** The number of relative links, and a line for each broken one. */
export interface LinkReport {
  readonly count: number
  readonly broken: readonly string[]
}

/** Checks Markdown files; `root` has everything that a link may lead to. */
export function checkMarkdown(root: string, files: readonly string[]): LinkReport

/** Lists the Markdown files that the repository or the package publishes. */
export function listDocuments(root: string): string[]

/** Checks the HTML pages of a built site, which is served under `base`. */
export function checkSite(folder: string, base?: string): LinkReport
