/** Which held token a caller means: scope sets whatever their order and duplicates, a bounded number. */

import { type Members, readMembers } from '../../core/options/validate.ts'
import { readScopes } from './options.ts'
import type { HeldToken } from './token-holder.ts'
import type { GetTokenOptions, ScopeSetStatus } from './types.ts'

/** Scope sets whose tokens are held; the one unused the longest goes first. */
const MAX_SETS = 64
/** Spellings of them that are known without being read again. */
const MAX_SPELLINGS = 256
const MEMBERS: readonly string[] = [
  'scopes',
  'timeout',
  'signal',
] satisfies (keyof GetTokenOptions)[]

/** The held tokens of a client. */
export class ScopeSets {
  readonly #make: (scopes: readonly string[] | undefined) => HeldToken
  /** What is meant where no scopes are named; never let go of. */
  readonly #default: HeldToken
  readonly #sets = new Map<string, HeldToken>()
  /** As callers write them, so that a call on a held token reads nothing. */
  readonly #spellings = new Map<string, HeldToken>()

  /** @param scopes The client's own; undefined: all it may have. */
  constructor(
    make: (scopes: readonly string[] | undefined) => HeldToken,
    scopes: readonly string[] | undefined,
  ) {
    this.#make = make
    this.#default = make(scopes)
    if (scopes !== undefined) this.#sets.set(scopes.join(' '), this.#default)
  }

  /** @throws {OptionError} `ERR_OPTION_INVALID`. */
  of(options: GetTokenOptions | undefined): HeldToken {
    if (options === undefined) return this.#default
    const spelling = spellingOf(options)
    return this.#spellings.get(spelling) ?? this.#read(options, spelling)
  }

  /** Of the sets that were asked for. */
  status(): readonly ScopeSetStatus[] {
    const held = new Set([this.#default, ...this.#sets.values()])
    return [...held].flatMap((set) => set.status() ?? [])
  }

  #read(options: GetTokenOptions, spelling: string): HeldToken {
    const members: Members = readMembers(options, MEMBERS, '')
    if (!('scopes' in members)) return this.#default
    const scopes = readScopes(members['scopes'], 'scopes')
    const name = scopes.join(' ')
    const known = this.#sets.get(name) ?? this.#add(name, scopes)
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear()
    return this.#spellings.set(spelling, known).get(spelling) as HeldToken
  }

  #add(name: string, scopes: readonly string[]): HeldToken {
    if (this.#sets.size >= MAX_SETS) this.#dropLongestUnused()
    const made = this.#make(scopes)
    this.#sets.set(name, made)
    return made
  }

  #dropLongestUnused(): void {
    const [dropped] = [...this.#sets]
      .filter(([, set]) => set !== this.#default)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt)
    this.#sets.delete((dropped as [string, HeldToken])[0])
    this.#spellings.clear()
  }
}

/**
 * Empty where options have to be read: a member may be there that is refused. What every object has
 * by somebody else's fault is none of them.
 */
function spellingOf(options: GetTokenOptions): string {
  if (typeof options !== 'object' || options === null) return ''
  for (const name in options) if (!MEMBERS.includes(name) && Object.hasOwn(options, name)) return ''
  if (!Object.hasOwn(options, 'scopes')) return ''
  const { scopes } = options
  if (typeof scopes === 'string') return scopes
  // What stands between two scopes is in none of them.
  return Array.isArray(scopes) ? (scopes.length === 1 ? scopes[0] : scopes.join('\n')) : ''
}
