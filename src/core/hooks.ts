/** Asks code of the API's owner for a decision and fails closed. */
import { StacklessError } from './errors.ts'
import type { ClientLookup } from './options/user-pool.ts'

/** Answers of each kind kept: more clients than that make the oldest be asked again. */
const MAX_ANSWERS = 10_000

/** How long answers hold, in milliseconds, and the clock they are held against. */
interface LookupCacheOptions {
  readonly allow: number
  readonly deny: number
  /** Milliseconds. */
  readonly elapsed: () => number
}

/**
 * Wraps a lookup. A yes is kept apart from a no: whoever makes up ids pushes no client out.
 *
 * @returns `true` and `false` are answers; a rejection means there was none, and is not kept.
 */
export function createCachedLookup(
  lookup: ClientLookup,
  { allow, deny, elapsed }: LookupCacheOptions,
): (clientId: string) => boolean | Promise<boolean> {
  const allowedUntil = new Map<string, number>()
  const deniedUntil = new Map<string, number>()
  const asking = new Map<string, Promise<boolean>>()

  async function question(clientId: string): Promise<boolean> {
    const allowed = await callHook(() => lookup(clientId))
    allowedUntil.delete(clientId)
    deniedUntil.delete(clientId)
    const kept = allowed ? allowedUntil : deniedUntil
    kept.set(clientId, elapsed() + (allowed ? allow : deny))
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_ANSWERS) break
      kept.delete(oldest)
    }
    return allowed
  }

  return (clientId) => {
    const allowed = allowedUntil.get(clientId)
    const until = allowed ?? deniedUntil.get(clientId)
    if (until !== undefined && elapsed() < until) return allowed !== undefined
    let asked = asking.get(clientId)
    if (asked === undefined) {
      asked = question(clientId).finally(() => asking.delete(clientId))
      asking.set(clientId, asked)
    }
    return asked
  }
}

/** Longest a decision may take, in milliseconds. */
export const HOOK_TIMEOUT_MS = 3000

/** The owner's code gave no decision. Its own error stays out: it may quote what it was asked. */
export class HookError extends StacklessError {
  override readonly name = 'HookError'
  readonly code: 'ERR_DECISION_TIMEOUT' | 'ERR_DECISION_FAILED'

  /** @param thrown Class of what was thrown, for whoever looks for the fault. */
  constructor(code: HookError['code'], thrown = '') {
    super(
      code === 'ERR_DECISION_TIMEOUT'
        ? 'A check or client lookup took too long'
        : `A check or client lookup threw or rejected${thrown}`,
    )
    this.code = code
    this.dropStack()
  }
}

/**
 * Only the boolean `true` is a yes: a truthy object is more likely a slip than a decision.
 *
 * @throws {HookError} if `question` throws, rejects or takes over 3 seconds.
 */
export async function callHook(question: () => unknown): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new HookError('ERR_DECISION_TIMEOUT')), HOOK_TIMEOUT_MS)
  })
  try {
    return (await Promise.race([answer(question), late])) === true
  } finally {
    clearTimeout(timer)
  }
}

async function answer(question: () => unknown): Promise<unknown> {
  try {
    return await question()
  } catch (error) {
    throw new HookError('ERR_DECISION_FAILED', classOf(error))
  }
}

/** Only a class name that cannot be a message; a hostile error may throw when it is looked at. */
function classOf(error: unknown): string {
  try {
    const { name } = (error as Error).constructor
    return /^[A-Za-z]{1,40}Error$/.test(name) ? ` (${name})` : ''
  } catch {
    return ''
  }
}
