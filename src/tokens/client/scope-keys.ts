/** Finds the token holder of a call by its scopes. Order and duplicates of scopes do not matter. */

import { type Members, readMembers } from '../../core/options/validate.ts'
import { readScopes } from './options.ts'
import type { TokenHolder } from './token-holder.ts'
import type { GetTokenOptions, ScopeSetStatus } from './types.ts'

/** Scope sets whose tokens are held; the one unused the longest goes first. */
const MAX_SCOPE_SETS = 64
/** Spellings of them that are known without being read again. */
const MAX_SPELLINGS = 256
const OPTION_NAMES: readonly string[] = [
  'scopes',
  'timeout',
  'signal',
] satisfies (keyof GetTokenOptions)[]

/** The held tokens of a client. */
export class ScopeSets {
  readonly #createHolder: (scopes: readonly string[] | undefined) => TokenHolder
  /** What is meant where no scopes are named; never let go of. */
  readonly #default: TokenHolder
  readonly #sets = new Map<string, TokenHolder>()
  /** As callers write them, so that a call on a held token reads nothing. */
  readonly #spellings = new Map<string, TokenHolder>()

  /** @param scopes The client's own; undefined: all it may have. */
  constructor(
    createHolder: (scopes: readonly string[] | undefined) => TokenHolder,
    scopes: readonly string[] | undefined,
  ) {
    this.#createHolder = createHolder
    this.#default = createHolder(scopes)
    if (scopes !== undefined) this.#sets.set(scopes.join(' '), this.#default)
  }

  /** @throws {OptionError} `ERR_OPTION_INVALID`. */
  getHolder(options: GetTokenOptions | undefined): TokenHolder {
    if (options === undefined) return this.#default
    const spelling = getSpelling(options)
    return this.#spellings.get(spelling) ?? this.#read(options, spelling)
  }

  /** Of the sets that were asked for. */
  status(): readonly ScopeSetStatus[] {
    const held = new Set([this.#default, ...this.#sets.values()])
    return [...held].flatMap((set) => set.status() ?? [])
  }

  #read(options: GetTokenOptions, spelling: string): TokenHolder {
    const members: Members = readMembers(options, OPTION_NAMES, '')
    if (!('scopes' in members)) return this.#default
    const scopes = readScopes(members['scopes'], 'scopes')
    const name = scopes.join(' ')
    const holder = this.#sets.get(name) ?? this.#add(name, scopes)
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear()
    return this.#spellings.set(spelling, holder).get(spelling) as TokenHolder
  }

  #add(name: string, scopes: readonly string[]): TokenHolder {
    if (this.#sets.size >= MAX_SCOPE_SETS) this.#evictLeastRecentlyUsed()
    const holder = this.#createHolder(scopes)
    this.#sets.set(name, holder)
    return holder
  }

  #evictLeastRecentlyUsed(): void {
    const [dropped] = [...this.#sets]
      .filter(([, set]) => set !== this.#default)
      .sort(([, a], [, b]) => a.lastUsedAt - b.lastUsedAt)
    this.#sets.delete((dropped as [string, TokenHolder])[0])
    this.#spellings.clear()
  }
}

/**
 * Empty where options have to be read: a member may be there that is refused. What every object has
 * by somebody else's fault is none of them.
 */
function getSpelling(options: GetTokenOptions): string {
  if (typeof options !== 'object' || options === null) return ''
  for (const name in options)
    if (!OPTION_NAMES.includes(name) && Object.hasOwn(options, name)) return ''
  if (!Object.hasOwn(options, 'scopes')) return ''
  const { scopes } = options
  if (typeof scopes === 'string') return scopes
  // What stands between two scopes is in none of them.
  return Array.isArray(scopes) ? (scopes.length === 1 ? scopes[0] : scopes.join('\n')) : ''
}
