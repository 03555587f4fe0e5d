/** Replaces dynamic references such as `{{resolve:ssm:name}}`, which the deployment resolves. */
import {
  concatenate,
  createScalar,
  createUnknown,
  formatPieces,
  type Piece,
  type Source,
  type Value,
} from '../resolve/value.ts'

/** A capture group, so that splitting a text returns the references at odd indexes. */
const DYNAMIC_REFERENCE = /(\{\{resolve:[^{}]*\}\})/
const SSM_PARAMETER = /^\{\{resolve:ssm(?:-secure)?:([^:}]+)/
/** A capture group, so that splitting a text returns the brackets too. */
const BRACKETS = /(\{\{resolve:|\}\})/
const SSM_PREFIX = /^ssm(?:-secure)?:/

export function resolveDynamicReferences(value: Value): Value {
  if (value.kind === 'unknown' && value.pieces !== undefined)
    return { ...value, pieces: joinReferences(value.pieces) }
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text !== 'string' || !text.includes('{{resolve:')) return value
  const { at, refs } = value
  const parts = text.split(DYNAMIC_REFERENCE).map((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [createScalar(at, part, refs)]
    const [, ssm] = SSM_PARAMETER.exec(part) ?? []
    return [createUnknown(at, refs, ssm === undefined ? {} : { ssm })]
  })
  return concatenate(at, parts.flat())
}

/** Replaces references whose names are composed: `{{resolve:ssm:/${Env}/pool-id}}`. */
function joinReferences(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = []
  let reference: Piece[] | undefined
  for (const piece of pieces) {
    const parts = typeof piece === 'string' ? piece.split(BRACKETS) : [piece]
    for (const part of parts) {
      if (part === '{{resolve:' && reference === undefined) reference = []
      else if (part === '}}' && reference !== undefined) {
        result.push(toSource(reference))
        reference = undefined
      } else if (part !== '') (reference ?? result).push(part)
    }
  }
  return reference === undefined ? result : [...result, '{{resolve:', ...reference]
}

/** @param reference The pieces between the brackets: `ssm:`, the name, and optionally a version. */
function toSource([first = '', ...more]: readonly Piece[]): Source {
  if (typeof first !== 'string' || !SSM_PREFIX.test(first)) return {}
  const namePieces: Piece[] = []
  for (const piece of [first.replace(SSM_PREFIX, ''), ...more]) {
    const [name, version] = typeof piece === 'string' ? piece.split(':') : [piece]
    if (name !== undefined && name !== '') namePieces.push(name)
    if (version !== undefined) break
  }
  const ssm = formatPieces(namePieces)
  return namePieces.every((piece) => typeof piece === 'string') ? { ssm } : { ssm, namePieces }
}
