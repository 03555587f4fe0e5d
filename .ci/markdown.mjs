/** Links, headings and anchors of Markdown files, as GitHub reads them. Links in code are not links. */

const FENCE = /^ {0,3}(`{3,}|~{3,})/
/** Ends at the next run of as many backticks, and in its paragraph. */
const CODE_SPAN = /(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)*?(?<!`)\1(?!`)/gs
const MASK = /\uE000(\d+)\uE001/g
/** Links and images, reference definitions, and attributes of the HTML tags that GitHub allows. */
const TARGETS = [
  /(\]\()([^)\s]+)(?=[)\s])/g,
  /(^ {0,3}\[[^\]\n]+\]: +)(\S+)/gm,
  /(\b(?:href|src|srcset)=")([^"\s]+)(?=")/g,
]
const INLINE_LINK = /(?<!!)\[((?:[^[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)(?: "[^"]*")?\)/g

/** Whether a link target has neither scheme nor host. */
export const isRelative = (target) => !/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(target)

/** @returns Blocks of prose and of fenced code, in order. Joined by line ends, they are the text. */
function splitBlocks(text) {
  const blocks = []
  let fence
  for (const line of text.split('\n')) {
    const [, marker] = FENCE.exec(line) ?? []
    const isCode = fence !== undefined || marker !== undefined
    const last = blocks.at(-1)
    if (last?.isCode === isCode && !(isCode && fence === undefined)) last.lines.push(line)
    else blocks.push({ isCode, lines: [line] })
    if (fence === undefined) fence = marker
    else if (marker?.startsWith(fence) && line.trim() === marker) fence = undefined
  }
  return blocks
}

/** @param replace Gets prose without its code spans, which are masked by characters for private use. */
function mapProse(text, replace) {
  const blocks = splitBlocks(text).map(({ isCode, lines }) => {
    const block = lines.join('\n')
    if (isCode) return block
    const spans = []
    const masked = block.replaceAll(CODE_SPAN, (span) => `\uE000${spans.push(span) - 1}\uE001`)
    return replace(masked).replaceAll(MASK, (_, index) => spans[index])
  })
  return blocks.join('\n')
}

/** Lists the targets of all links and images, absolute ones too. */
export function listTargets(text) {
  const targets = []
  mapProse(text, (prose) => {
    for (const pattern of TARGETS) {
      for (const [, , target] of prose.matchAll(pattern)) targets.push(target)
    }
    return prose
  })
  return targets
}

/**
 * Replaces the relative targets of links and images.
 *
 * @param replaceTarget Gets a relative target. Undefined removes the link and keeps its text.
 */
export function replaceTargets(text, replaceTarget) {
  return mapProse(text, (prose) => {
    const unlinked = prose.replaceAll(INLINE_LINK, (link, label, target) =>
      isRelative(target) && replaceTarget(target) === undefined ? label : link,
    )
    return TARGETS.reduce(
      (result, pattern) =>
        result.replaceAll(pattern, (match, before, target) =>
          isRelative(target) ? before + (replaceTarget(target) ?? target) : match,
        ),
      unlinked,
    )
  })
}

/** Gets the text of a heading: without code marks, emphasis and link targets. */
const toPlainText = (heading) =>
  heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .trim()

/** Converts the text of a heading to the anchor that GitHub derives from it. */
export const toAnchor = (heading) =>
  toPlainText(heading)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** Lists the headings of a text, without those in fenced code. */
export function listHeadings(text) {
  return splitBlocks(text)
    .filter(({ isCode }) => !isCode)
    .flatMap(({ lines }) => lines)
    .flatMap((line) => {
      const [, marks, heading] = /^(#{1,6}) +(.+?)(?: +#+)?$/.exec(line) ?? []
      return heading === undefined
        ? []
        : [{ level: marks.length, text: toPlainText(heading), heading }]
    })
}

/** Lists the anchors of a text: of headings, with `-1` for the second of a name, and of `<a id>` tags. */
export function listAnchors(text) {
  const counts = new Map()
  const anchors = listHeadings(text).map(({ heading }) => {
    const anchor = toAnchor(heading)
    const count = counts.get(anchor) ?? 0
    counts.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
  for (const [, id] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.push(id)
  return anchors
}
