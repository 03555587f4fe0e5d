/**
 * Names of resources in templates. They derive from the resource alone, so adding or removing one renames no other.
 * A renamed client would be replaced by another one with a new id and secret.
 */
import { createHash } from 'node:crypto'

/** Longest part of a name that derives from a text, in characters. */
const MAX_WORDS_LENGTH = 24

/** Words that have a special meaning in the name of a path. */
const RESERVED_WORDS = new Set(['by', 'proxy', 'root'])

/** Returns `h` and the first eight hexadecimal digits of the SHA-256 digest. */
export const createFingerprint = (text: string): string =>
  `h${createHash('sha256').update(text).digest('hex').slice(0, 8)}`

const splitWords = (text: string): readonly string[] =>
  (text.match(/[A-Z]+[a-z0-9]*|[a-z0-9]+/g) ?? []).map((word) => word.toLowerCase())

/** @param isReversible Whether no other text has the same words. If not, a fingerprint makes them unique. */
function toUniqueWords(
  text: string,
  words: readonly string[],
  isReversible: boolean,
): readonly string[] {
  const short = words.join(' ').slice(0, MAX_WORDS_LENGTH).trim()
  if (isReversible && short.length === words.join(' ').length) return words
  return [...short.split(' '), createFingerprint(text)].filter((word) => word !== '')
}

/** Splits the name of an API into words, without the word api: `orders-api` becomes orders. */
export const toApiWords = (name: string): readonly string[] =>
  toNameWords(name).filter((word) => word !== 'api')

/** Splits an identifier, which may be a URL, into unique words. The scheme of a URL is none of them. */
export function toServerWords(identifier: string): readonly string[] {
  const isReversible = /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(identifier)
  return toUniqueWords(identifier, splitWords(identifier.replace(/^https?:\/\//, '')), isReversible)
}

/** Splits a name into unique words: `order-service` becomes order, service. */
export const toNameWords = (text: string): readonly string[] =>
  toUniqueWords(text, splitWords(text), /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(text))

/** Splits a path into unique words: `/orders/{id}` becomes orders, by, id. */
export function toPathWords(path: string): readonly string[] {
  const parts = path.split('/').slice(1)
  if (path === '/') return ['root']
  const words = parts.flatMap((part) => {
    if (part === '{proxy+}') return ['proxy']
    return part.startsWith('{') ? ['by', ...splitWords(part)] : splitWords(part)
  })
  const isReversible = parts.every(
    (part) =>
      /^\{(?:[A-Za-z][A-Za-z0-9]*|proxy\+)\}$|^[a-z][a-z0-9]*$/.test(part) &&
      !RESERVED_WORDS.has(part),
  )
  return toUniqueWords(path, words, isReversible)
}

/** Creates a logical id of CloudFormation. */
export const toLogicalId = (kind: string, words: readonly string[]): string =>
  kind + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')

/** Creates a name of Terraform, which cannot begin with a digit. */
export const toTerraformName = (words: readonly string[]): string =>
  words.join('_').replace(/^(?=[0-9])/, 'n')

/** Converts an identifier, which may be a URL, to a name that Cognito accepts. */
export const toServerName = (identifier: string): string => identifier.replace(/[^\w+=,.@-]+/g, '-')
