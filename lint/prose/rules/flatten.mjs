/** The text of a block as a reader sees it, with the offset of each character in the source. */

/** Stands for a code span, an image or inline HTML. It ends no word, and it counts as none. */
export const CODE = '\u{FFFC}'

const OPAQUE = new Set(['Code', 'Image', 'Html', 'FootnoteReference'])

/** Returns `{ text, offsets }` of a paragraph, heading or table cell. Rules match `text` and report at `offsets`. */
export function flatten(block, source) {
  let text = ''
  const offsets = []
  const visit = (node) => {
    if (OPAQUE.has(node.type)) {
      text += CODE
      offsets.push(node.range[0])
    } else if (node.type === 'Str' || node.type === 'Break') {
      const raw = source.slice(node.range[0], node.range[1])
      for (let index = 0; index < raw.length; index += 1) offsets.push(node.range[0] + index)
      text += raw
    } else {
      for (const child of node.children ?? []) visit(child)
    }
  }
  visit(block)
  return { text, offsets }
}

const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|vs|cf|etc|no|sec)\.$/i

/** Sentences of a flattened text, each with its index. A line that starts a TSDoc tag starts a sentence too. */
export function sentences(text) {
  const found = []
  let start = 0
  const add = (end) => {
    const sentence = text.slice(start, end)
    if (sentence.trim() !== '') {
      const index = start + sentence.length - sentence.trimStart().length
      found.push({ index, text: sentence.trim() })
    }
    start = end
  }
  for (const match of text.matchAll(/[.!?]["”’')\]*_]*(?=\s)|\n(?=\s*@[a-z])/gi)) {
    const end = match.index + match[0].length
    if (!ABBREVIATION.test(text.slice(start, end))) add(end)
  }
  add(text.length)
  return found
}

/** Words of a sentence; code spans and marks without a letter or digit are none. */
export function countWords(sentence) {
  return sentence.split(/[\s—–]+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}
