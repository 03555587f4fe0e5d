/** Watches a process in an outage: unhandled errors and key requests. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Test } from 'tap'
import { PRIVATE_ADDRESS } from './faults.ts'
import { lured } from './redirect-target.ts'

export interface Watch {
  /** Unhandled rejections and uncaught exceptions. */
  readonly unhandled: readonly unknown[]
  /** Origins that Node's fetch was about to connect to. */
  readonly origins: ReadonlySet<string>
  end(): void
}

const CREATED = 'undici:request:create'

export function watchProcess(): Watch {
  const unhandled: unknown[] = []
  const origins = new Set<string>()
  const note = (reason: unknown): void => {
    unhandled.push(reason)
  }
  const seen = (message: unknown): void => {
    const { request } = message as { request: { origin?: unknown } }
    origins.add(String(request.origin))
  }
  process.on('unhandledRejection', note)
  process.on('uncaughtExceptionMonitor', note)
  subscribe(CREATED, seen)
  return {
    unhandled,
    origins,
    end() {
      process.off('unhandledRejection', note)
      process.off('uncaughtExceptionMonitor', note)
      unsubscribe(CREATED, seen)
    },
  }
}

/** No redirect was followed, to wherever, and nothing would have ended the process. */
export function expectQuiet(t: Test, { origins, unhandled }: Watch): void {
  t.strictSame(lured, [])
  t.ok(
    [...origins].some((origin) => origin.startsWith('http://127.0.0.1:')),
    'seen asking',
  )
  t.notOk(origins.has(PRIVATE_ADDRESS))
  t.strictSame(unhandled, [])
}
