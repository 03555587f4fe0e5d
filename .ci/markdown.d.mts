/** Whether a link target has neither scheme nor host. */
export function isRelative(target: string): boolean

/** Lists the targets of all links and images, absolute ones too. */
export function listTargets(text: string): string[]

/** Replaces the relative targets of links and images. Undefined removes a link and keeps its text. */
export function replaceTargets(
  text: string,
  replaceTarget: (target: string) => string | undefined,
): string

/** Converts the text of a heading to the anchor that GitHub derives from it. */
export function toAnchor(heading: string): string

/** A heading. `heading` is its Markdown, `text` what a reader sees. */
export interface Heading {
  readonly level: number
  readonly text: string
  readonly heading: string
}

/** Lists the headings of a text, without those in fenced code. */
export function listHeadings(text: string): Heading[]

/** Lists the anchors of a text. */
export function listAnchors(text: string): string[]
