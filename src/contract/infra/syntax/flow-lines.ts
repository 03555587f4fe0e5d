/**
 * Indents the lines inside of brackets and quotes of a YAML document. YAML requires more indentation there than their
 * key has. The parser of the SAM CLI (PyYAML) accepts any indentation.
 */

/** Most spaces that are added to a line. It bounds the length of the result. */
const MAX_WIDTH = 200

interface IndentedText {
  readonly text: string
  /** The number of spaces that were added to each line. Lines count from 1. */
  readonly added: ReadonlyMap<number, number>
}

/** Takes linear time. The result is meant for a document that a strict parser has rejected. */
export function indentFlowLines(text: string): IndentedText {
  const scanner = new FlowScanner()
  const added = new Map<number, number>()
  const lines = text.split('\n').map((line, index) => {
    const width = scanner.isInside() && line.trim() !== '' ? scanner.width : 0
    scanner.scan(line)
    if (width === 0) return line
    added.set(index + 1, width)
    return ' '.repeat(width) + line
  })
  return { text: lines.join('\n'), added }
}

const isBlank = (character: string | undefined): boolean =>
  character === undefined || /[ \t\r]/.test(character)

/** Recognizes brackets and quotes line by line. Plain and block scalars may contain both as text. */
class FlowScanner {
  /** Columns to add to a line inside of brackets or quotes. */
  width = 0
  #line = ''
  #index = 0
  /** The number of open brackets. */
  #depth = 0
  #quote = ''
  /** Whether a value may start here: brackets and quotes within a plain scalar are text. */
  #isStart = true
  /** The column of the key or the item whose value comes next. */
  #parentColumn = 0
  /** The parent column of a block scalar, which ends at a line that is indented no more. */
  #blockColumn: number | undefined

  isInside(): boolean {
    return this.#depth > 0 || this.#quote !== ''
  }

  scan(line: string): void {
    this.#line = line
    this.#index = 0
    if (!this.isInside() && !this.#startBlockLine()) return
    while (this.#index < line.length) {
      if (this.#quote !== '') this.#skipQuoted()
      else if (this.#depth > 0) this.#scanFlow()
      else this.#scanBlock()
    }
  }

  /** Returns false for lines without structure. */
  #startBlockLine(): boolean {
    const indentation = this.#line.search(/[^ ]/)
    if (indentation < 0 || isBlank(this.#line[indentation])) return false
    if (this.#blockColumn !== undefined && indentation > this.#blockColumn) return false
    this.#blockColumn = undefined
    this.#index = indentation
    this.#parentColumn = indentation
    this.#isStart = true
    return true
  }

  #skipLine(): void {
    this.#index = this.#line.length
  }

  #scanBlock(): void {
    const character = this.#line[this.#index] as string
    const next = this.#line[this.#index + 1]
    if (isBlank(character)) this.#index += 1
    else if (character === '#') this.#skipLine()
    else if (/[-?:]/.test(character) && isBlank(next)) {
      if (character !== ':') this.#parentColumn = this.#index
      this.#isStart = true
      this.#index += 1
    } else if (!this.#isStart) this.#skipLine()
    else if (/[!&]/.test(character)) this.#skipProperty()
    else if (/[|>]/.test(character)) {
      this.#blockColumn = this.#parentColumn
      this.#skipLine()
    } else if (/["'[{]/.test(character)) {
      this.#parentColumn = this.#index
      // The bracket is to the right of its key.
      this.width = Math.min(this.#index + 1, MAX_WIDTH)
      this.#openBracketOrQuote(character)
    } else this.#scanPlain()
  }

  /** Skips a plain scalar up to the colon of a key, a comment, or the end of the line. */
  #scanPlain(): void {
    const start = this.#index
    const length = this.#line.slice(start).search(/:(?=[ \t\r]|$)| #/)
    this.#isStart = false
    this.#index = length < 0 ? this.#line.length : start + length
    if (this.#line[this.#index] === ':') this.#parentColumn = start
  }

  /** Skips a tag or an anchor. */
  #skipProperty(): void {
    const length = this.#line.slice(this.#index).search(/[ \t\r,[\]{}]|$/)
    this.#index += Math.max(length, 1)
  }

  #openBracketOrQuote(character: string): void {
    this.#index += 1
    this.#isStart = !/["']/.test(character)
    if (this.#isStart) this.#depth += 1
    else this.#quote = character
  }

  #scanFlow(): void {
    const character = this.#line[this.#index] as string
    const isAfterBlank = isBlank(this.#line[this.#index - 1])
    if (character === '#' && isAfterBlank) this.#skipLine()
    else if (/[[{]/.test(character) || (this.#isStart && /["']/.test(character))) {
      this.#openBracketOrQuote(character)
    } else if (/[!&]/.test(character) && this.#isStart) this.#skipProperty()
    else {
      if (/[\]}]/.test(character)) this.#depth -= 1
      const isColon = character === ':' && /[\s,[\]{}"']|^$/.test(this.#line[this.#index + 1] ?? '')
      if (character === ',' || isColon) this.#isStart = true
      else if (!isBlank(character)) this.#isStart = false
      this.#index += 1
    }
  }

  #skipQuoted(): void {
    const quote = this.#quote
    for (; this.#index < this.#line.length; this.#index++) {
      const character = this.#line[this.#index]
      if (character === '\\' && quote === '"') this.#index += 1
      else if (character === quote) {
        if (quote === '"' || this.#line[this.#index + 1] !== quote) break
        this.#index += 1
      }
    }
    if (this.#index >= this.#line.length) return
    this.#quote = ''
    this.#index += 1
  }
}
