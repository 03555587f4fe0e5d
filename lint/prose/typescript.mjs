/**
 * Extracts what people read from TypeScript and JavaScript: comments, by the TypeScript scanner, and strings, by
 * the parser. Each text is Markdown with the offset of every character in its file.
 */
import ts from 'typescript'

/** A text under construction; `offsets[i]` is where character `i` is in the file. */
class Extract {
  text = ''
  offsets = []

  add(characters, offset, step = 1) {
    for (let index = 0; index < characters.length; index += 1) {
      this.text += characters[index]
      this.offsets.push(offset + index * step)
    }
  }
}

/** Comments for tools, not for readers. */
const DIRECTIVE = /^(?:\/\/|\/\*)\s*(?:biome-ignore|@ts-|<reference|\/ <|c8 |v8 )/

/** Comments of a source, with consecutive `//` lines as one. */
export function extractComments(source, file) {
  const literals = new Map()
  const visit = (node) => {
    if (isLiteral(node)) literals.set(node.getStart(), node.end)
    ts.forEachChild(node, visit)
  }
  visit(parse(source, file))

  const scanner = ts.createScanner(
    ts.ScriptTarget.Latest,
    false,
    ts.LanguageVariant.Standard,
    source,
  )
  const extracts = []
  let lines
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    const start = scanner.getTokenStart()
    const raw = scanner.getTokenText()
    if (kind === ts.SyntaxKind.WhitespaceTrivia) continue
    if (kind === ts.SyntaxKind.NewLineTrivia) {
      if (raw.length > 1 && /\n.*\n/s.test(raw)) lines = undefined
      continue
    }
    if (kind === ts.SyntaxKind.SingleLineCommentTrivia && !DIRECTIVE.test(raw)) {
      const joined = lines !== undefined && /^\r?\n[ \t]*$/.test(source.slice(lines.end, start))
      if (!joined) {
        lines = { extract: new Extract() }
        extracts.push(lines.extract)
      }
      const marker = /^\/\/+ ?/.exec(raw)[0].length
      lines.extract.add(`${raw.slice(marker)}\n`, start + marker)
      lines.end = start + raw.length
      continue
    }
    if (kind === ts.SyntaxKind.MultiLineCommentTrivia && !DIRECTIVE.test(raw)) {
      extracts.push(block(raw, start))
    }
    lines = undefined
    // The scanner alone takes the inside of templates and regular expressions for code.
    const end = literals.get(start)
    if (end !== undefined) scanner.resetTokenState(end)
  }
  return extracts.map(finish)
}

const isLiteral = (node) =>
  ts.isRegularExpressionLiteral(node) ||
  ts.isNoSubstitutionTemplateLiteral(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddle(node) ||
  ts.isTemplateTail(node)

/** A block comment without its stars. A line that begins with a tag begins a paragraph. */
function block(raw, start) {
  const extract = new Extract()
  const inner = raw.replace(/\*\/$/, '')
  let offset = 0
  for (const line of inner.split('\n')) {
    const marker = (offset === 0 ? /^\/\*+ ?/ : /^\s*\*? ?/).exec(line)[0].length
    const text = line.slice(marker)
    if (/^\s*@[a-z]/i.test(text)) extract.add('\n', start + offset)
    extract.add(`${text}\n`, start + offset + marker)
    offset += line.length + 1
  }
  return extract
}

/** Inline TSDoc tags are code: a name that is linked is no prose. */
const finish = ({ text, offsets }) => ({
  text: text.replaceAll(/\{@\w+[^}]*\}/g, (tag) => `\`${tag.slice(1, -1).replaceAll('`', ' ')}\``),
  offsets,
})

const WORD = /(?<!\S)\p{L}[\p{L}'’-]*[,.:;]?(?!\S)/gu

/** Fewer words are a name, a key or a path. */
const isProse = (text) => (text.match(WORD)?.length ?? 0) >= 3

/** String literals and templates that read as prose. Parts that `+` joins are one text, substitutions are code. */
export function extractStrings(source, file) {
  const extracts = []
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return
    if (isText(node)) {
      const extract = new Extract()
      append(node, extract, source)
      if (isProse(extract.text)) extracts.push(extract)
      ts.forEachChild(node, substitutions)
      return
    }
    ts.forEachChild(node, visit)
  }
  /** The content of a template's substitutions is a separate text. */
  const substitutions = (node) => {
    if (ts.isTemplateSpan(node)) visit(node.expression)
    else if (ts.isBinaryExpression(node) || ts.isTemplateExpression(node))
      ts.forEachChild(node, substitutions)
  }
  visit(parse(source, file))
  return extracts
}

const parse = (source, file) => ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)

const isText = (node) =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.PlusToken &&
    (isText(node.left) || isText(node.right)))

function append(node, extract, source) {
  if (ts.isStringLiteralLike(node)) {
    appendUnescaped(source.slice(node.getStart() + 1, node.end - 1), node.getStart() + 1, extract)
  } else if (ts.isTemplateExpression(node)) {
    appendUnescaped(node.head.rawText, node.head.getStart() + 1, extract)
    for (const { expression, literal } of node.templateSpans) {
      extract.add('`x`', expression.getStart(), 0)
      appendUnescaped(literal.rawText, literal.getStart() + 1, extract)
    }
  } else if (isText(node)) {
    append(node.left, extract, source)
    append(node.right, extract, source)
  } else {
    extract.add('`x`', node.getStart(), 0)
  }
}

function appendUnescaped(raw, start, extract) {
  for (const match of raw.matchAll(/\\(?:u\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|\r?\n|.)|[^\\]/gis)) {
    const [piece] = match
    if (piece.length === 1) extract.add(piece, start + match.index)
    else if (piece === '\\n') extract.add('\n', start + match.index)
    else if (/^\\['"`\\]$/.test(piece)) extract.add(piece[1], start + match.index)
    else if (!/^\\\r?\n$/.test(piece)) extract.add(' ', start + match.index)
  }
}
