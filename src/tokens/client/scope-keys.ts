/** Which held token a caller means: scope sets whatever their order and duplicates, a bounded number. */

import { type Members, OptionError, readMembers } from '../../core/options/validate.ts'
import { checkScope, type Scope } from '../../core/scopes.ts'
import type { ScopeSetStatus } from './token-client.ts'
import type { HeldToken } from './token-holder.ts'

/** Scope sets whose tokens are held; the one unused the longest goes first. */
const MAX_SETS = 64
/** Spellings of them that are known without being read again. */
const MAX_SPELLINGS = 256
/** Scopes an app client can have. */
const MAX_SCOPES = 50

/** What a caller asks for. */
export interface GetTokenOptions {
  /**
   * Scopes as `identifier/name`, at most 50: all of them are asked for. Order and duplicates do not
   * matter. Default: the client's `scopes`.
   */
  readonly scopes?: Scope | readonly Scope[]
  /**
   * Longest wait of this call, in seconds, from 0.001 to 300: then it rejects with `ERR_TOKEN_TIMEOUT`. A
   * cached token that is not over is returned instead.
   *
   * @defaultValue The client's `timeout`, 20 s
   */
  readonly timeout?: number
  /**
   * Ends the wait of this call and of no other: it rejects with the signal's reason. The token request goes
   * on for other callers. An aborted signal rejects at once, even if a token is cached.
   */
  readonly signal?: AbortSignal
}

const MEMBERS: readonly string[] = [
  'scopes',
  'timeout',
  'signal',
] satisfies (keyof GetTokenOptions)[]

/**
 * Scopes in alphabetical order, each once.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readScopes(value: unknown, place: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const place_ = (index: number): string => (Array.isArray(value) ? `${place}[${index}]` : place)
  const scopes = new Set(list.map((scope, index) => checkScope(scope, place_(index))))
  if (scopes.size === 0 || scopes.size > MAX_SCOPES) {
    throw new OptionError(
      place,
      `has ${scopes.size} scopes: name 1 to ${MAX_SCOPES}, or leave it out`,
    )
  }
  return Object.freeze([...scopes].sort())
}

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
