/** Finds the parameters and variables that unknown values of a template depend on. */
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, FactList, InfraResourceServer } from '../model/model.ts'
import type { Piece } from '../resolve/value.ts'

export type MaybeUnknown = Fact<unknown> | FactList<string> | undefined

/** Lists the names to pass as parameters. Empty if no parameter determines the values. */
export type ListParameters = (facts: readonly MaybeUnknown[]) => readonly string[]

/** @param servers Resource servers: a scope that refers to one depends on the parameters of its identifier. */
export function createParameterLister(servers: readonly InfraResourceServer[]): ListParameters {
  const identifiers = new Map(servers.map(({ id, identifier }) => [id, identifier]))
  const listNames = (fact: MaybeUnknown): readonly string[] => {
    if (fact === undefined) return []
    if ('items' in fact)
      return [...listSourceNames([fact.source]), ...fact.items.flatMap(listNames)]
    if (fact.value !== undefined) return []
    const sources = fact.pieces ?? [fact.source]
    const references = fact.refs.flatMap((id): readonly Piece[] => {
      const identifier = identifiers.get(id)
      if (identifier === undefined || identifier.value !== undefined) return []
      return identifier.pieces ?? [identifier.source]
    })
    return listSourceNames([...sources, ...references])
  }
  return (facts) => [...new Set(facts.flatMap(listNames))]
}

const listSourceNames = (sources: readonly (Piece | undefined)[]): readonly string[] =>
  sources.flatMap((source) =>
    typeof source === 'object' && source.parameter !== undefined ? [source.parameter] : [],
  )

/** Says how to resolve a value that depends on the parameters. Undefined if there are none. */
export function suggestParameters(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined
  return `pass the parameter${names.length === 1 ? '' : 's'} ${names.map((name) => toPrintable(name)).join(', ')}`
}
