/** Where a text stops being JSON: engines say it in words of their own, or not at all. */

const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** What may come next: a value, a member's name, a colon, or what follows a value. */
type Next = 'value' | 'name' | 'colon' | 'after'

/** The offset of the first character that JSON has no place for; undefined where all have one. */
export function jsonFault(text: string): number | undefined {
  const open: ('{' | '[')[] = []
  let next: Next = 'value'
  /** Whether a list or an object may end where a member could stand. */
  let empty = false
  let index = 0
  for (;;) {
    index = afterBlanks(text, index)
    const mark = text[index]
    if (mark === undefined) return next === 'after' && open.length === 0 ? undefined : index
    const within = open.at(-1)
    const mayEnd = next === 'after' || empty
    empty = false
    if ((mark === '}' && within === '{' && mayEnd) || (mark === ']' && within === '[' && mayEnd)) {
      open.pop()
      next = 'after'
      index += 1
    } else if (next === 'after') {
      if (mark !== ',' || within === undefined) return index
      next = within === '{' ? 'name' : 'value'
      index += 1
    } else if (next === 'colon') {
      if (mark !== ':') return index
      next = 'value'
      index += 1
    } else if (next === 'value' && (mark === '{' || mark === '[')) {
      open.push(mark)
      next = mark === '{' ? 'name' : 'value'
      empty = true
      index += 1
    } else {
      const end: number = mark === '"' ? afterText(text, index) : afterScalar(text, index, next)
      if (end < 0) return -end - 1
      next = next === 'name' ? 'colon' : 'after'
      index = end
    }
  }
}

function afterBlanks(text: string, start: number): number {
  let index = start
  while (/[ \t\r\n]/.test(text[index] ?? '')) index += 1
  return index
}

/** Behind a number or a word; where none stands, `-1` less its place. */
function afterScalar(text: string, start: number, next: Next): number {
  SCALAR.lastIndex = start
  return next === 'value' && SCALAR.test(text) ? SCALAR.lastIndex : -1 - start
}

/** Behind the quote that closes a text; where none does, `-1` less the place of the fault. */
function afterText(text: string, start: number): number {
  let index = start + 1
  for (;;) {
    const unit = text.charCodeAt(index)
    if (unit === 0x22) return index + 1
    // The end of the text is no number, so no comparison holds.
    if (!(unit >= 0x20)) return -1 - index
    if (unit === 0x5c) {
      ESCAPE.lastIndex = index
      if (!ESCAPE.test(text)) return -1 - index
      index = ESCAPE.lastIndex
    } else index += 1
  }
}
