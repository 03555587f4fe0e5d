/** textlint rule: words a sentence may have. Table cells have their own limit, in characters. */
import { countWords, flatten, sentences } from './flatten.mjs'

export default function sentenceLength(context, { max }) {
  const { RuleError, Syntax, report, getSource, locator } = context
  return {
    [Syntax.Paragraph](block) {
      const { text, offsets } = flatten(block, getSource())
      for (const sentence of sentences(text)) {
        const count = countWords(sentence.text)
        if (count <= max) continue
        const opening = sentence.text
          .split(/\s+/)
          .slice(0, 4)
          .join(' ')
          .replaceAll('\u{FFFC}', '`…`')
        const message = `sentence of ${count} words ("${opening} …"), at most ${max}. Split it: one fact each.`
        const start = offsets[sentence.index] - block.range[0]
        report(block, new RuleError(message, { padding: locator.at(start) }))
      }
    },
  }
}
