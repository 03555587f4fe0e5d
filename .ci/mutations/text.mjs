/** Finds resources, properties and list items in the text of a template, so that a mistake can be planted as an edit. */

const OPENING = '[{('
const CLOSING = ']})'

/** @returns {'yaml' | 'json' | 'hcl'} */
export function getSyntax(file) {
  if (file.endsWith('.json')) return 'json'
  return file.endsWith('.tf') ? 'hcl' : 'yaml'
}

/** Returns the index of the first of these characters outside of quotes and brackets, or the end of the text. */
function scanTo(text, start, stop) {
  let depth = 0
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (character === '"' || character === "'") {
      const end = text.indexOf(character, index + 1)
      if (end < 0) return text.length
      index = end
      continue
    }
    if (depth === 0 && stop.includes(character)) return index
    if (OPENING.includes(character)) depth += 1
    else if (CLOSING.includes(character)) depth -= 1
  }
  return text.length
}

/** Lists the resources of a template: `{ id, type, start, end }`. */
export function listResources(file, text) {
  const syntax = getSyntax(file)
  if (syntax === 'hcl') {
    return [...text.matchAll(/^resource "(\w+)" "(\w+)" \{\n.*?^\}/gms)].map((match) => ({
      id: `${match[1]}.${match[2]}`,
      type: match[1],
      start: match.index,
      end: match.index + match[0].length,
    }))
  }
  const start = text.search(syntax === 'json' ? /^ +"Resources": \{/m : /^Resources:/m)
  if (start < 0) return []
  const indent = /\n( +)[\w"]/.exec(text.slice(start + 1))?.[1] ?? ''
  const pattern =
    syntax === 'json' ? `^${indent}"(\\w+)": (?=\\{)` : `^${indent}(\\w+):(?=[^\\n]*$)`
  const found = [...text.slice(start).matchAll(new RegExp(pattern, 'gm'))]
  return found.flatMap((match) => {
    const from = start + match.index
    const end =
      syntax === 'json'
        ? scanTo(text, from + match[0].length + 1, '}') + 1
        : findBlockEnd(text, from, indent.length)
    const type = /\bType["']?: ["']?([\w:]+)/.exec(text.slice(from, end))?.[1]
    return type?.includes('::') ? [{ id: match[1], type, start: from, end }] : []
  })
}

/** Returns the end of a YAML block: before the next line that is not deeper than the indent. */
function findBlockEnd(text, start, indent) {
  const body = text.indexOf('\n', start) + 1
  const next = new RegExp(`^ {0,${indent}}[^\\s#]`, 'm').exec(text.slice(body))
  const end = next === null ? text.length : body + next.index
  return start + text.slice(start, end).trimEnd().length
}

/** Lists the properties of that name inside of a block: `{ start, valueStart, end, style }`. */
export function listProperties(file, text, block, name) {
  const syntax = getSyntax(file)
  const inside = text.slice(block.start, block.end)
  const pattern = {
    hcl: `^ *(${name} *= *)`,
    json: `("${name}": *)`,
    yaml: `(?:^ *(?:- )?|[{,] *)(["']?${name}["']?: *)(?=\\S|\\n)`,
  }[syntax]
  return [...inside.matchAll(new RegExp(pattern, 'gm'))].map((match) => {
    const start = block.start + match.index + match[0].length - match[1].length
    const valueStart = start + match[1].length
    const lineStart = text.lastIndexOf('\n', start) + 1
    const before = text.slice(lineStart, start)
    const style = syntax === 'json' || /[{,]/.test(before) ? 'flow' : 'line'
    const end =
      style === 'flow'
        ? scanTo(text, valueStart, ',}')
        : syntax === 'hcl'
          ? scanTo(text, valueStart, '\n')
          : findValueEnd(text, valueStart, before.length)
    return {
      start,
      valueStart,
      end: valueStart + text.slice(valueStart, end).trimEnd().length,
      style,
    }
  })
}

function findValueEnd(text, valueStart, indent) {
  if (/[[{]/.test(text[valueStart])) return scanTo(text, valueStart + 1, ']}') + 1
  const lineEnd = text.indexOf('\n', valueStart)
  const rest = text.slice(lineEnd + 1)
  // A list may begin at the column of its key.
  const isList = text.slice(valueStart, lineEnd).trim() === '' && /^ *- /.test(rest)
  const next = new RegExp(
    isList ? `^ {0,${indent}}[^\\s#-]|^ {0,${indent - 1}}-` : `^ {0,${indent}}[^\\s#]`,
    'm',
  ).exec(rest)
  return next === null ? text.length : lineEnd + 1 + next.index
}

/** Lists the items of a list: `{ start, end }`, and how one of them is removed. */
export function listItems(file, text, { valueStart, end }) {
  const value = text.slice(valueStart, end)
  const lead = value.length - value.trimStart().length
  if (getSyntax(file) === 'yaml' && value.trimStart().startsWith('- ')) {
    const from = valueStart + lead
    const indent = from - text.lastIndexOf('\n', from) - 1
    const starts = [...text.slice(from - indent, end).matchAll(new RegExp(`^ {${indent}}- `, 'gm'))]
    return starts.map(({ index }, position) => {
      const start = from - indent + index + indent + 2
      const next = starts[position + 1]
      const stop = next === undefined ? end : from - indent + next.index
      const itemEnd = start + text.slice(start, stop).trimEnd().length
      const only = starts.length === 1
      return {
        start,
        end: itemEnd,
        remove: only
          ? { start: valueStart, end, text: ' []' }
          : { start: start - indent - 3, end: itemEnd, text: '' },
        repeat: {
          start: itemEnd,
          end: itemEnd,
          text: `\n${' '.repeat(indent)}- ${text.slice(start, itemEnd)}`,
        },
      }
    })
  }
  if (value[lead] !== '[') return []
  const items = []
  for (let start = valueStart + lead + 1; ; ) {
    const stop = scanTo(text, start, ',]')
    const content = text.slice(start, stop)
    if (content.trim() !== '') {
      const from = start + content.length - content.trimStart().length
      const to = from + content.trim().length
      const repeat = { start: to, end: to, text: `, ${text.slice(from, to)}` }
      items.push({ start: from, end: to, remove: { start, end: stop, text: '' }, repeat })
    }
    if (text[stop] !== ',') break
    start = stop + 1
  }
  for (const [index, item] of items.entries()) {
    const { remove } = item
    if (index > 0) remove.start = items[index - 1].end
    else if (items.length > 1) [remove.start, remove.end] = [item.start, items[1].start]
  }
  return items
}

/** Returns the edit that removes a property with its line or its comma. */
export function removeProperty(text, { start, end, style }) {
  if (style === 'line') {
    const lineStart = text.lastIndexOf('\n', start) + 1
    return { start: lineStart, end: end + 1, text: '' }
  }
  const after = /^ *,\s*/.exec(text.slice(end))
  if (after !== null) return { start, end: end + after[0].length, text: '' }
  const before = /,\s*$/.exec(text.slice(0, start))
  return { start: start - (before?.[0].length ?? 0), end, text: '' }
}

/** Applies edits, the last one first. */
export const applyEdits = (text, edits) =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end),
      text,
    )

export const getLine = (text, index) => text.slice(0, index).split('\n').length
