/**
 * Run as a separate process: an API without keys that fetches a given number of times and prints the
 * result. Only a separate process shows the memory that its fetches cost.
 */
import { AuthError, type CognitoAuthOptions, createResourceServer } from '../../../src/index.ts'

/** What so many fetches came to. */
export interface Fetches {
  /** Codes of why they failed, each once. */
  readonly codes: readonly string[]
  /** Most that was read of one answer; null where none was too large. */
  readonly bytes: number | null
  /** Most memory the process ever had, in KiB. */
  readonly maxRss: number
}

/** Longer than any backoff step. */
const STEP = 61_000

const { token, ...options } = JSON.parse(process.argv[2] as string) as CognitoAuthOptions & {
  token: string
}
let monotonic = 0
const server = createResourceServer({ ...options, monotonicNow: () => monotonic })
const guard = server.guard()

async function failure(): Promise<{ code?: string; bytes?: number }> {
  try {
    await guard(`Bearer ${token}`)
  } catch (error) {
    if (error instanceof AuthError) return (error.cause ?? {}) as { code?: string; bytes?: number }
    throw error
  }
  throw new Error('there were keys')
}

process.on('message', async (times: number) => {
  const codes = new Set<string>()
  let most = 0
  for (let time = 0; time < times; time += 1) {
    monotonic += STEP
    const { code = 'none', bytes = 0 } = await failure()
    codes.add(code)
    most = Math.max(most, bytes)
  }
  const { maxRSS: maxRss } = process.resourceUsage()
  process.send?.({ codes: [...codes], bytes: most || null, maxRss } satisfies Fetches)
})
