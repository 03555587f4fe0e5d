/**
 * Names of resources in templates, made of what they stand for: whoever adds or removes one renames no
 * other. A client that is renamed is made anew, with another id and another secret.
 */
import { createHash } from 'node:crypto'

/** Longest part of a text that is taken into a name. */
const MAX_LENGTH = 40

/** Words that stand for something else in the name of a path. */
const RESERVED_WORDS = new Set(['by', 'proxy', 'root'])

/** `h` and eight hexadecimal digits. */
export const createFingerprint = (text: string): string =>
  `h${createHash('sha256').update(text).digest('hex').slice(0, 8)}`

const splitWords = (text: string): readonly string[] =>
  (text.match(/[A-Z]+[a-z0-9]*|[a-z0-9]+/g) ?? []).map((word) => word.toLowerCase())

function toUniqueWords(text: string, words: readonly string[], plain: boolean): readonly string[] {
  const short = words.join(' ').slice(0, MAX_LENGTH).trim()
  if (plain && short.length === words.join(' ').length) return words
  return [...short.split(' '), createFingerprint(text)].filter((word) => word !== '')
}

/** `order-service` → order, service. What its words alone do not tell apart has a fingerprint too. */
export const toNameWords = (text: string): readonly string[] =>
  toUniqueWords(text, splitWords(text), /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(text))

/** `/orders/{id}` → orders, by, id. */
export function toPathWords(path: string): readonly string[] {
  const parts = path.split('/').slice(1)
  if (path === '/') return ['root']
  const words = parts.flatMap((part) => {
    if (part === '{proxy+}') return ['proxy']
    return part.startsWith('{') ? ['by', ...splitWords(part)] : splitWords(part)
  })
  const plain = parts.every(
    (part) =>
      /^\{(?:[A-Za-z][A-Za-z0-9]*|proxy\+)\}$|^[a-z][a-z0-9]*$/.test(part) &&
      !RESERVED_WORDS.has(part),
  )
  return toUniqueWords(path, words, plain)
}

/** CloudFormation's logical id. */
export const toLogicalId = (kind: string, words: readonly string[]): string =>
  kind + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')

/** Terraform's name: begins with a letter. */
export const toTerraformName = (words: readonly string[]): string =>
  words.join('_').replace(/^(?=[0-9])/, 'n')

/** What Cognito takes for the name of a resource server, where its identifier is a URL too. */
export const toServerName = (identifier: string): string => identifier.replace(/[^\w+=,.@-]+/g, '-')
