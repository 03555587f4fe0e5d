/** Finds the token holder of a call by its scopes, in any order and with duplicates, and its client metadata. */

import { type Members, readMembers } from '../../core/options/validate.ts'
import { readClientMetadata } from './client-metadata.ts'
import { readScopes } from './options.ts'
import type { TokenHolder } from './token-holder.ts'
import type { RequestedToken } from './token-request.ts'
import type { GetTokenOptions, ScopeSetStatus } from './types.ts'

/** Scope sets of a client. The least recently used one is evicted first. */
const MAX_SCOPE_SETS = 64
/** Cached spellings of scope sets. The cache is cleared once it is full. */
const MAX_SPELLINGS = 256
const OPTION_NAMES: readonly string[] = [
  'scopes',
  'clientMetadata',
  'timeout',
  'signal',
] satisfies (keyof GetTokenOptions)[]

/** The token holders of a client, one for each scope set with its client metadata. */
export class ScopeSets {
  readonly #createHolder: (requested: RequestedToken) => TokenHolder
  readonly #defaults: RequestedToken
  /** Serves calls without scopes and client metadata. Never evicted. */
  readonly #default: TokenHolder
  readonly #sets = new Map<string, TokenHolder>()
  /** Holders by the scopes as the caller wrote them: a call with a cached token validates nothing. */
  readonly #spellings = new Map<string, TokenHolder>()

  /** @param defaults The options `scopes` and `clientMetadata` of the client. */
  constructor(
    createHolder: (requested: RequestedToken) => TokenHolder,
    { scopes, metadata }: RequestedToken,
  ) {
    this.#createHolder = createHolder
    this.#defaults = { scopes, metadata }
    this.#default = createHolder(this.#defaults)
    this.#sets.set(getName(this.#defaults), this.#default)
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
    return [...this.#sets.values()].flatMap((holder) => holder.status() ?? [])
  }

  #read(options: GetTokenOptions, spelling: string): TokenHolder {
    const members: Members = readMembers(options, OPTION_NAMES, '')
    const { scopes, metadata } = this.#defaults
    const requested: RequestedToken = {
      scopes: 'scopes' in members ? readScopes(members['scopes'], 'scopes') : scopes,
      metadata:
        'clientMetadata' in members
          ? readClientMetadata(members['clientMetadata'], 'clientMetadata')
          : metadata,
    }
    const name = getName(requested)
    const holder = this.#sets.get(name) ?? this.#add(name, requested)
    // An empty spelling stands for options that must be validated.
    if (spelling === '') return holder
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear()
    this.#spellings.set(spelling, holder)
    return holder
  }

  #add(name: string, requested: RequestedToken): TokenHolder {
    if (this.#sets.size >= MAX_SCOPE_SETS) this.#evictLeastRecentlyUsed()
    const holder = this.#createHolder(requested)
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

/** Scopes contain no line break, and JSON has none outside strings. Omitted scopes differ from any that are listed. */
function getName({ scopes = [], metadata = '' }: RequestedToken): string {
  return `${scopes.join(' ')}\n${metadata}`
}

/**
 * Returns a cache key for the scopes of a call, or an empty string if the options must be validated. Reads own
 * properties only: a polluted prototype adds no options.
 */
function getSpelling(options: GetTokenOptions): string {
  if (typeof options !== 'object' || options === null) return ''
  for (const name in options)
    if (!OPTION_NAMES.includes(name) && Object.hasOwn(options, name)) return ''
  if (!Object.hasOwn(options, 'scopes') || Object.hasOwn(options, 'clientMetadata')) return ''
  const { scopes } = options
  if (Array.isArray(scopes) && scopes.length !== 1) return `${scopes.length}\n${scopes.join('\n')}`
  const scope = typeof scopes === 'string' ? scopes : scopes?.[0]
  // A scope with a line break is invalid, and must not look like a list.
  return typeof scope === 'string' && !scope.includes('\n') ? scope : ''
}
