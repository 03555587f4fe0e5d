/** JSON kept as the text of its members, so that order, duplicates and spelling can be changed. */
import type { JsonEdit, JsonPart } from './variant.ts'

interface Member {
  readonly name: string
  /** The name as JSON text, quotes included. */
  readonly spelled: string
  readonly json: string
}

/** Applies, in their order, the edits of one part; answers the bytes to be encoded. */
export function editedJson(
  good: Readonly<Record<string, unknown>>,
  edits: readonly JsonEdit[],
  ownKey: unknown,
): Buffer {
  let members = Object.entries(good).map(([name, value]) => member(name, JSON.stringify(value)))
  let blank = ''
  let [before, after] = ['', '']
  const bytes: { at: number; byte: number }[] = []
  for (const edit of edits) {
    if (edit.edit === 'blank') blank = edit.text
    else if (edit.edit === 'wrap') {
      before = edit.before + before
      after += edit.after
    } else if (edit.edit === 'byte') bytes.push(edit)
    else members = editedMembers(members, edit, ownKey)
  }
  const pieces = members.flatMap(({ spelled, json }) => [',', spelled, ':', json]).slice(1)
  const encoded = Buffer.from(before + ['{', ...pieces, '}'].join(blank) + after)
  for (const { at, byte } of bytes) encoded[at % encoded.length] = byte
  return encoded
}

/** Edits without a part belong to the header. */
export function partOf(edit: JsonEdit): JsonPart {
  return 'part' in edit ? edit.part : 'header'
}

function member(name: string, json: string): Member {
  return { name, spelled: JSON.stringify(name), json }
}

function editedMembers(
  members: readonly Member[],
  edit: Exclude<JsonEdit, { edit: 'blank' | 'wrap' | 'byte' }>,
  ownKey: unknown,
): Member[] {
  switch (edit.edit) {
    case 'set': {
      if (!members.some(({ name }) => name === edit.name)) {
        return [...members, member(edit.name, edit.json)]
      }
      return members.map((it) => (it.name === edit.name ? { ...it, json: edit.json } : it))
    }
    case 'drop':
      return members.filter(({ name }) => name !== edit.name)
    case 'add': {
      const { spelled, json } = edit
      const added = { name: JSON.parse(spelled) as string, spelled, json }
      return edit.front ? [added, ...members] : [...members, added]
    }
    case 'escape':
      return members.map((it) =>
        it.name === edit.name ? { ...it, spelled: escaped(it.name, edit.at) } : it,
      )
    case 'grow':
      return [...members, member('filler', `"${'x'.repeat(edit.by)}"`)]
    case 'nest':
      return [...members, member('nested', nested(edit.of, edit.depth))]
    case 'fill':
      return [...members, member('filled', filled(edit.of, edit.count))]
    case 'own key':
      return [...members, member('jwk', JSON.stringify(ownKey))]
  }
}

/** JSON text of a string with one character as \u escape, at a position modulo its length. */
export function escaped(name: string, at: number): string {
  if (name === '') return '""'
  const place = at % name.length
  const code = name.charCodeAt(place).toString(16).padStart(4, '0')
  const [head, tail] = [name.slice(0, place), name.slice(place + 1)]
  return `${JSON.stringify(head).slice(0, -1)}\\u${code}${JSON.stringify(tail).slice(1)}`
}

function filled(of: 'arrays' | 'members', count: number): string {
  const each = (one: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => one(at)).join()
  return of === 'arrays' ? `[${each(() => '[]')}]` : `{${each((at) => `"${at}":0`)}}`
}

function nested(of: 'arrays' | 'objects', depth: number): string {
  if (of === 'arrays') return '['.repeat(depth) + ']'.repeat(depth)
  return `${'{"":'.repeat(depth)}0${'}'.repeat(depth)}`
}
