/** Finds the token holder of a call by its scopes, in any order and with duplicates. */

import { type Members, readMembers } from '../../core/options/validate.ts'
import { readScopes } from './options.ts'
import type { TokenHolder } from './token-holder.ts'
import type { GetTokenOptions, ScopeSetStatus } from './types.ts'

/** Scope sets of a client. The least recently used one is evicted first. */
const MAX_SCOPE_SETS = 64
/** Cached spellings of scope sets. The cache is cleared once it is full. */
const MAX_SPELLINGS = 256
const OPTION_NAMES: readonly string[] = [
  'scopes',
  'timeout',
  'signal',
] satisfies (keyof GetTokenOptions)[]

/** The token holders of a client, one for each scope set. */
export class ScopeSets {
  readonly #createHolder: (scopes: readonly string[] | undefined) => TokenHolder
  /** Serves calls without scopes. Never evicted. */
  readonly #default: TokenHolder
  readonly #sets = new Map<string, TokenHolder>()
  /** Holders by the scopes as the caller wrote them: a call with a cached token validates nothing. */
  readonly #spellings = new Map<string, TokenHolder>()

  /** @param scopes The option `scopes` of the client. Undefined requests all scopes of the app client. */
  constructor(
    createHolder: (scopes: readonly string[] | undefined) => TokenHolder,
    scopes: readonly string[] | undefined,
  ) {
    this.#createHolder = createHolder
    this.#default = createHolder(scopes)
    if (scopes !== undefined) this.#sets.set(scopes.join(' '), this.#default)
  }

  /**
   * Returns the token holder of a call.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID`.
   */
  getHolder(options: GetTokenOptions | undefined): TokenHolder {
    if (options === undefined) return this.#default
    const spelling = getSpelling(options)
    return this.#spellings.get(spelling) ?? this.#read(options, spelling)
  }

  /** The status of each scope set that a call has used. */
  status(): readonly ScopeSetStatus[] {
    const holders = new Set([this.#default, ...this.#sets.values()])
    return [...holders].flatMap((holder) => holder.status() ?? [])
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
    const [oldest] = [...this.#sets]
      .filter(([, holder]) => holder !== this.#default)
      .sort(([, a], [, b]) => a.lastUsedAt - b.lastUsedAt)
    this.#sets.delete((oldest as [string, TokenHolder])[0])
    this.#spellings.clear()
  }
}

/**
 * Returns a cache key for the scopes of a call, or an empty string if the options must be validated. Reads own
 * properties only: a polluted prototype adds no options.
 */
function getSpelling(options: GetTokenOptions): string {
  if (typeof options !== 'object' || options === null) return ''
  for (const name in options)
    if (!OPTION_NAMES.includes(name) && Object.hasOwn(options, name)) return ''
  if (!Object.hasOwn(options, 'scopes')) return ''
  const { scopes } = options
  if (typeof scopes === 'string') return scopes
  // No scope contains a line break.
  return Array.isArray(scopes) ? (scopes.length === 1 ? scopes[0] : scopes.join('\n')) : ''
}
