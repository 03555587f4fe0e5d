/** Asks the owner whether an app client may call: cached, bounded, one question at a time. */
import { ask } from './ask.ts'
import type { ClientLookup } from './user-pool-options.ts'

/** Answers kept: more clients than that make the oldest be asked again. */
const MAX_ANSWERS = 10_000

interface Answer {
  readonly allowed: boolean
  readonly until: number
}

/** How long answers hold, in milliseconds, and the clock they are held against. */
export interface LookupCacheOptions {
  readonly allow: number
  readonly deny: number
  /** Milliseconds. */
  readonly elapsed: () => number
}

/**
 * Wraps a lookup. Only ids of verified tokens get here, so strangers can fill neither the cache nor
 * the owner's database with questions.
 *
 * @returns `true` and `false` are answers; a rejection means there was none, and is not kept.
 */
export function cachedLookup(
  lookup: ClientLookup,
  { allow, deny, elapsed }: LookupCacheOptions,
): (clientId: string) => boolean | Promise<boolean> {
  const answers = new Map<string, Answer>()
  const asking = new Map<string, Promise<boolean>>()

  async function question(clientId: string): Promise<boolean> {
    const allowed = await ask(() => lookup(clientId))
    answers.delete(clientId)
    answers.set(clientId, { allowed, until: elapsed() + (allowed ? allow : deny) })
    for (const oldest of answers.keys()) {
      if (answers.size <= MAX_ANSWERS) break
      answers.delete(oldest)
    }
    return allowed
  }

  return (clientId) => {
    const answer = answers.get(clientId)
    if (answer !== undefined && elapsed() < answer.until) return answer.allowed
    let asked = asking.get(clientId)
    if (asked === undefined) {
      asked = question(clientId).finally(() => asking.delete(clientId))
      asking.set(clientId, asked)
    }
    return asked
  }
}
